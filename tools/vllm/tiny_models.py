"""Makes a tiny target model and a tinier draft model of one vocabulary, for an engine on a CPU.

usage: tiny_models.py OUT_DIR SOURCE_FILE…

Both are Qwen2 with random weights from fixed seeds: what they say means nothing, what they cost and how they are served is
real. The vocabulary is learned from the source files, with the infilling tokens of Qwen2.5-Coder.
"""
import json
import pathlib
import sys

import numpy
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 2048
CONTEXT = 8192
# The head sizes of vLLM's attention on CPUs are multiples of 16 from 32 on.
HEAD = 64
END = "<|endoftext|>"
MARKS = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"]
MODELS = {
    "target": dict(layers=4, heads=2, inner=256, seed=11),
    "draft": dict(layers=1, heads=1, inner=128, seed=12),
    # A vocabulary of the same size and another model: what a worker must not take for the target.
    "other": dict(layers=1, heads=1, inner=128, seed=13),
}


def vocabulary(files):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train(files, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=[END, *MARKS], show_progress=False, initial_alphabet=alphabet))
    return tokenizer


def weights(size, layers, heads, inner, seed):
    random = numpy.random.default_rng(seed)
    hidden = heads * HEAD
    dense = lambda *shape: (random.standard_normal(shape) * 0.05).astype(numpy.float32)
    ones = lambda: numpy.ones(hidden, numpy.float32)
    tensors = {"model.embed_tokens.weight": dense(size, hidden), "model.norm.weight": ones()}
    for layer in range(layers):
        name = f"model.layers.{layer}"
        for part, rows in (("q", hidden), ("k", HEAD), ("v", HEAD)):
            tensors[f"{name}.self_attn.{part}_proj.weight"] = dense(rows, hidden)
            tensors[f"{name}.self_attn.{part}_proj.bias"] = dense(rows)
        tensors[f"{name}.self_attn.o_proj.weight"] = dense(hidden, hidden)
        tensors[f"{name}.mlp.gate_proj.weight"] = dense(inner, hidden)
        tensors[f"{name}.mlp.up_proj.weight"] = dense(inner, hidden)
        tensors[f"{name}.mlp.down_proj.weight"] = dense(hidden, inner)
        tensors[f"{name}.input_layernorm.weight"] = ones()
        tensors[f"{name}.post_attention_layernorm.weight"] = ones()
    return tensors


def config(size, layers, heads, inner):
    return {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "torch_dtype": "float32",
        "vocab_size": size, "hidden_size": heads * HEAD, "intermediate_size": inner, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": 1, "max_position_embeddings": CONTEXT, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "tie_word_embeddings": True, "use_sliding_window": False, "bos_token_id": 0, "eos_token_id": 0,
    }


def adapter(folder, seed):
    """A LoRA adapter over the target's queries and values, large enough to change what it says."""
    random = numpy.random.default_rng(seed)
    hidden, rank, tensors = MODELS["target"]["heads"] * HEAD, 8, {}
    for layer in range(MODELS["target"]["layers"]):
        for part, rows in (("q", hidden), ("v", HEAD)):
            name = f"base_model.model.model.layers.{layer}.self_attn.{part}_proj"
            tensors[f"{name}.lora_A.weight"] = random.standard_normal((rank, hidden)).astype(numpy.float32) * 0.3
            tensors[f"{name}.lora_B.weight"] = random.standard_normal((rows, rank)).astype(numpy.float32) * 0.3
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    about = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 16, "target_modules": ["q_proj", "v_proj"], "bias": "none", "base_model_name_or_path": "target"}
    (folder / "adapter_config.json").write_text(json.dumps(about, indent=1))


def main(out, files):
    tokenizer = vocabulary(files)
    size = tokenizer.get_vocab_size()
    for name, shape in MODELS.items():
        folder = pathlib.Path(out, name)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(weights(size, **shape), folder / "model.safetensors", {"format": "pt"})
        plain = {key: value for key, value in shape.items() if key != "seed"}
        (folder / "config.json").write_text(json.dumps(config(size, **plain), indent=1))
        tokenizer.save(str(folder / "tokenizer.json"))
        template = "{% for message in messages %}{{ message.content }}\n{% endfor %}"
        about = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": END, "model_max_length": CONTEXT, "additional_special_tokens": MARKS, "chat_template": template}
        (folder / "tokenizer_config.json").write_text(json.dumps(about, indent=1))
        print(name, "vocabulary", size, "bytes", (folder / "model.safetensors").stat().st_size)
    adapter(pathlib.Path(out, "adapter"), 14)


main(sys.argv[1], sys.argv[2:])

"""Makes models for an engine on a CPU from those that come with Slipstream: the built-in one, and its draft.

usage: tiny_models.py OUT_DIR

Reads models/*.gguf and models/tokenizer.json beside this checkout's tools, and writes folders as Hugging Face has them: "target"
and "draft" are the same networks in float32; "other" is one that a worker must not take for the target; "adapter" is a LoRA
adapter of random weights, large enough to change what the target says.
"""
import json
import pathlib
import shutil
import sys

import gguf
import numpy
from safetensors.numpy import save_file

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
SOURCES = {"target": "slipstream-fim-13m-q8_0.gguf", "draft": "slipstream-draft-1m-q8_0.gguf", "other": "slipstream-draft-1m-q8_0.gguf"}
END = "<|endoftext|>"
PARTS = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
RANK = 8


def facts(reader):
    """What the file says of the network's shape, by the last part of its name."""
    return {name.removeprefix("llama."): field.contents() for name, field in reader.fields.items() if name.startswith("llama.")}


def halves(matrix, heads):
    """Rotary pairs stand side by side in GGUF, and half a head apart in Hugging Face's Llama."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors(reader, shape):
    heads = {"attn_q": shape["attention.head_count"], "attn_k": shape["attention.head_count_kv"]}
    for tensor in reader.tensors:
        values = numpy.asarray(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=numpy.float32)
        if tensor.name == "token_embd.weight":
            yield "model.embed_tokens.weight", values
        elif tensor.name == "output_norm.weight":
            yield "model.norm.weight", values
        else:
            _, layer, part, _ = tensor.name.split(".")
            straight = halves(values, heads[part]) if part in heads else values
            yield f"model.layers.{layer}.{PARTS[part]}.weight", numpy.ascontiguousarray(straight)


def config(shape):
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "torch_dtype": "float32",
        "vocab_size": shape["vocab_size"], "hidden_size": shape["embedding_length"], "intermediate_size": shape["feed_forward_length"],
        "num_hidden_layers": shape["block_count"], "num_attention_heads": shape["attention.head_count"],
        "num_key_value_heads": shape["attention.head_count_kv"], "head_dim": shape["rope.dimension_count"],
        "max_position_embeddings": shape["context_length"], "rms_norm_eps": 1e-5, "rope_theta": shape["rope.freq_base"],
        "tie_word_embeddings": True, "attention_bias": False, "mlp_bias": False, "bos_token_id": 0, "eos_token_id": 0,
    }


def tokenizer_config(shape):
    return {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": END, "model_max_length": shape["context_length"],
        "chat_template": "{% for message in messages %}{{ message.content }}\n{% endfor %}",
    }


def adapter(folder, shape):
    random = numpy.random.default_rng(14)
    hidden, head = shape["embedding_length"], shape["rope.dimension_count"]
    rows = {"q": head * shape["attention.head_count"], "v": head * shape["attention.head_count_kv"]}
    weights = {}
    for layer in range(shape["block_count"]):
        for part, height in rows.items():
            name = f"base_model.model.model.layers.{layer}.self_attn.{part}_proj"
            weights[f"{name}.lora_A.weight"] = random.standard_normal((RANK, hidden)).astype(numpy.float32) * 0.3
            weights[f"{name}.lora_B.weight"] = random.standard_normal((height, RANK)).astype(numpy.float32) * 0.3
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "adapter_model.safetensors", {"format": "pt"})
    about = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 16, "bias": "none",
        "target_modules": ["q_proj", "v_proj"], "base_model_name_or_path": "target",
    }
    (folder / "adapter_config.json").write_text(json.dumps(about, indent=1))


def main(out):
    for name, source in SOURCES.items():
        reader = gguf.GGUFReader(MODELS / source)
        shape = facts(reader)
        folder = pathlib.Path(out, name)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(dict(tensors(reader, shape)), folder / "model.safetensors", {"format": "pt"})
        (folder / "config.json").write_text(json.dumps(config(shape), indent=1))
        shutil.copyfile(MODELS / "tokenizer.json", folder / "tokenizer.json")
        (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(shape), indent=1))
        print(name, "bytes", (folder / "model.safetensors").stat().st_size)
        if name == "target":
            adapter(pathlib.Path(out, "adapter"), shape)


main(sys.argv[1])

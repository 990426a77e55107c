"""Export: a checkpoint and the tokenizer in, a GGUF file with Q8_0 matrices out, as llama.cpp reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFWriter, TokenType

from .settings import SPECIAL_TOKENS, Shape

DESCRIPTION = "tiny FIM code model trained from scratch"
FIM_KEYS = {"pre": 1, "suf": 2, "mid": 3, "pad": 4, "rep": 5, "sep": 6}


def export(checkpoint: Path, tokenizer: Path, name: str, out: Path) -> None:
    kept = torch.load(checkpoint, map_location="cpu")
    shape = Shape(**kept["cfg"])
    writer = GGUFWriter(str(out.with_suffix(".new")), "llama")
    _describe(writer, shape, name)
    _vocabulary(writer, tokenizer, shape)
    for tensor, values in tensors(kept["sd"], shape):
        if values.ndim == 1:
            writer.add_tensor(tensor, values)
        else:
            packed = gguf.quants.quantize(values, GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor, packed, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(out.with_suffix(".new"), out)


def tensors(weights: dict[str, torch.Tensor], shape: Shape) -> Iterator[tuple[str, np.ndarray]]:
    """The fused matrices taken apart under llama.cpp's names. The output matrix is the embedding and is not written twice."""
    plain = {name: weight.float().numpy() for name, weight in weights.items()}
    yield "token_embd.weight", plain["emb.weight"]
    yield "output_norm.weight", plain["nf.w"]
    head = shape.d // shape.h
    queries, keys = shape.h * head, shape.kv * head
    for index in range(shape.L):
        qkv, gate_up = plain[f"blocks.{index}.qkv.weight"], plain[f"blocks.{index}.gu.weight"]
        parts = {
            "attn_norm": plain[f"blocks.{index}.n1.w"],
            "ffn_norm": plain[f"blocks.{index}.n2.w"],
            "attn_q": qkv[:queries],
            "attn_k": qkv[queries : queries + keys],
            "attn_v": qkv[queries + keys :],
            "attn_output": plain[f"blocks.{index}.o.weight"],
            "ffn_gate": gate_up[: shape.ff],
            "ffn_up": gate_up[shape.ff :],
            "ffn_down": plain[f"blocks.{index}.dn.weight"],
        }
        for part, values in parts.items():
            yield f"blk.{index}.{part}.weight", np.ascontiguousarray(values)


def _describe(writer: GGUFWriter, shape: Shape, name: str) -> None:
    writer.add_name(name)
    writer.add_license("Apache-2.0")
    writer.add_description(DESCRIPTION)
    writer.add_vocab_size(shape.vocab)
    writer.add_context_length(shape.ctx)
    writer.add_embedding_length(shape.d)
    writer.add_block_count(shape.L)
    writer.add_feed_forward_length(shape.ff)
    writer.add_head_count(shape.h)
    writer.add_head_count_kv(shape.kv)
    writer.add_layer_norm_rms_eps(shape.eps)
    writer.add_rope_freq_base(shape.theta)
    writer.add_rope_dimension_count(shape.d // shape.h)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def _vocabulary(writer: GGUFWriter, tokenizer: Path, shape: Shape) -> None:
    model = json.loads(tokenizer.read_text())["model"]
    names = [name for name, _ in sorted(model["vocab"].items(), key=lambda item: item[1])]
    if len(names) != shape.vocab or tuple(names[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
        raise ValueError(f"{tokenizer} is not the vocabulary of this network")
    merges: list[str] = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(names)
    writer.add_token_types([TokenType.CONTROL if name in SPECIAL_TOKENS else TokenType.NORMAL for name in names])
    writer.add_token_merges(merges)
    writer.add_eos_token_id(0)
    writer.add_pad_token_id(SPECIAL_TOKENS.index("<|pad|>"))
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    for key, token in FIM_KEYS.items():
        writer.add_uint32(f"tokenizer.ggml.fim_{key}_token_id", token)

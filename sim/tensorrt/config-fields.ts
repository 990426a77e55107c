// config-fields: the names in trtllm-serve's file of settings, release by release, as the pydantic classes of
// tensorrt_llm/llmapi/llm_args.py have them (`BaseLlmArgs`, `TorchLlmArgs`, `TrtLlmArgs`, `KvCacheConfig`, `SchedulerConfig`).
// Read off that file at 1.0's release candidates, 1.2.0rc2 and 1.3.0rc26, and off the API reference pages of 1.0.0, 1.3.0rc27,
// 1.3.0rc29 and 1.4.0rc1. Kept apart from the operator's own table on purpose: it says what the operator is checked against.

const words = (text: string) => text.trim().split(/\s+/);

/** Of every backend. */
export const common = words(`
  model tokenizer tokenizer_mode skip_tokenizer_init trust_remote_code tensor_parallel_size dtype revision tokenizer_revision
  pipeline_parallel_size context_parallel_size gpus_per_node moe_cluster_parallel_size moe_tensor_parallel_size
  moe_expert_parallel_size enable_attention_dp cp_config load_format enable_lora lora_config kv_cache_config enable_chunked_prefill
  guided_decoding_backend batched_logits_processor iter_stats_max_iterations request_stats_max_iterations peft_cache_config
  scheduler_config cache_transceiver_config speculative_config max_batch_size max_input_len max_seq_len max_beam_width
  max_num_tokens gather_generation_logits num_postprocess_workers postprocess_tokenizer_dir reasoning_parser decoding_config
  mpi_session backend`);

/** Of the PyTorch backend in every release. */
export const torch = words(`
  garbage_collection_gen0_threshold cuda_graph_config disable_overlap_scheduler moe_config attn_backend enable_iter_perf_stats
  enable_iter_req_stats print_iter_log torch_compile_config enable_autotuner enable_layerwise_nvtx_marker enable_min_latency
  stream_interval force_dynamic_quantization allreduce_strategy checkpoint_loader checkpoint_format`);

export const torchBefore12 = words(
  "build_config fail_fast_on_attention_window_too_large enable_mixed_sampler enable_trtllm_sampler connector_config",
);

export const torchFrom12 = words(`
  enable_lm_head_tp_in_adp sparse_attention_config orchestrator_type attention_dp_config sampler_type perf_metrics_max_requests
  batch_wait_timeout_ms batch_wait_timeout_iters batch_wait_max_tokens_ratio kv_connector_config mm_encoder_only
  ray_worker_extension_cls`);

export const torchFrom13 = words(`
  custom_tokenizer post_processor_hook model_kwargs pp_partition kv_cache_compression_config otlp_traces_endpoint
  prometheus_metrics_config enable_energy_metrics env_overrides telemetry_config multimodal_config nvfp4_gemm_config dwdp_config
  enable_early_first_token_response`);

/** Of the TensorRT backend, which ends before 1.3. */
export const trt = words(`
  auto_parallel auto_parallel_world_size enable_tqdm workspace enable_build_cache extended_runtime_perf_knob_config calib_config
  embedding_parallel_mode fast_build build_config fail_fast_on_attention_window_too_large`);

export const kvCache = words(`
  enable_block_reuse max_tokens max_attention_window sink_token_length free_gpu_memory_fraction host_cache_size
  cross_kv_cache_fraction secondary_offload_min_priority event_buffer_max_size enable_partial_reuse copy_on_partial_reuse use_uvm
  dtype`);
export const kvCacheBefore13 = ["onboard_blocks"];
export const kvCacheFrom12 = words(
  "attention_dp_events_gather_period_ms max_gpu_total_bytes mamba_ssm_cache_dtype tokens_per_block",
);
export const kvCacheFrom13 = words(
  "disk_cache_size disk_cache_path kv_events_config iteration_stats_interval use_kv_cache_manager_v2",
);

export const scheduler = words("capacity_scheduler_policy context_chunking_policy dynamic_batch_config");

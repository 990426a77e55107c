// fields: which fields a request to trtllm-serve may have. Its requests forbid all others (OpenAIBaseModel, extra="forbid"), so that a field
// that is younger than a version is an error there. Names: tensorrt_llm/serve/openai_protocol.py.

const common = [
  ..."model frequency_penalty logit_bias n presence_penalty seed stop stream stream_options temperature top_p user".split(" "),
  ..."lora_request prompt_ignore_length best_of use_beam_search top_k top_p_min min_p repetition_penalty".split(" "),
  ..."length_penalty early_stopping stop_token_ids include_stop_str_in_output ignore_eos min_tokens".split(" "),
  ..."skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens add_special_tokens response_format".split(" "),
  ..."disaggregated_params logprobs echo".split(" "),
];
const completion = new Set([...common, ..."prompt max_tokens suffix return_context_logits detokenize".split(" ")]);
const chat = new Set([
  ...common,
  ..."messages prompt_token_ids max_completion_tokens max_tokens top_logprobs tools tool_choice reasoning_effort".split(" "),
  ..."add_generation_prompt documents chat_template chat_template_kwargs cache_salt agent_hierarchy".split(" "),
]);

/** What is wrong with it, as the server says it; undefined: nothing. */
export function wrongWith(
  page: "completion" | "chat",
  body: Readonly<Record<string, unknown>>,
  priorities: boolean,
): string | undefined {
  const known = page === "completion" ? completion : chat;
  const more = Object.keys(body).find((field) => !known.has(field) && !(priorities && field === "priority"));
  if (more !== undefined)
    return `[{'type': 'extra_forbidden', 'loc': ('body', '${more}'), 'msg': 'Extra inputs are not permitted', 'input': '…'}]`;
  if (page === "completion" && body["suffix"])
    return "[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, suffix is not supported', 'input': '…'}]";
  if (body["stream_options"] && !body["stream"])
    return "[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, Stream options can only be defined when stream is true.'}]";
  const { priority } = body as { priority?: unknown };
  if (typeof priority === "number" && (priority < 0 || priority > 1))
    return "[{'type': 'less_than_equal', 'loc': ('body', 'priority'), 'msg': 'Input should be less than or equal to 1'}]";
  return undefined;
}

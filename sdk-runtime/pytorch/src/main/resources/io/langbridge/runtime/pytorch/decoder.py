# The decoder. Qwen2, Qwen3, Llama, SmolLM2 and Mistral are one network; they differ in the configuration and in which
# tensors there are. Shapes are [tokens, width] unless noted. Annotations are needed: this is TorchScript.


class Config(NamedTuple):
  num_attention_heads : int
  num_key_value_heads : int
  head_dim : int
  rms_norm_eps : float
  sliding_window : int  # position i sees i - sliding_window + 1 .. i


class Layer(NamedTuple):
  sliding : bool  # whether the window applies
  input_layernorm : Tensor  # [hidden]
  qkv_proj : Tensor  # [(heads + 2 * kv_heads) * head_dim, hidden]
  qkv_bias : Optional[Tensor]
  qk_norm : Optional[Tensor]  # [heads + kv_heads, head_dim]
  o_proj : Tensor  # [hidden, heads * head_dim]
  o_bias : Optional[Tensor]
  post_attention_layernorm : Tensor  # [hidden]
  gate_up_proj : Tensor  # [2 * intermediate, hidden]
  gate_up_bias : Optional[Tensor]
  down_proj : Tensor  # [hidden, intermediate]
  down_bias : Optional[Tensor]


class Model(NamedTuple):
  config : __torch__.Config
  embed_tokens : Tensor  # [vocab, hidden]
  layers : List[__torch__.Layer]
  norm : Tensor  # [hidden]
  lm_head : Tensor  # [vocab, hidden]


class Cache(NamedTuple):
  keys : Tensor  # [layers, kv_heads, capacity, head_dim], after rotation
  values : Tensor  # [layers, kv_heads, capacity, head_dim]
  cos : Tensor  # [capacity, 1, head_dim]
  sin : Tensor  # [capacity, 1, head_dim]


class Decoder(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # ---- Loading: tensors by their names in the checkpoint

  def config(self, num_attention_heads: int, num_key_value_heads: int, head_dim: int, rms_norm_eps: float,
      sliding_window: int) -> __torch__.Config:
    return __torch__.Config(num_attention_heads, num_key_value_heads, head_dim, rms_norm_eps, sliding_window)

  # Products with the same input become one: fewer and larger reads per token.
  def layer(self, config: __torch__.Config, sliding: bool, w: Dict[str, Tensor]) -> __torch__.Layer:
    qkv_bias : Optional[Tensor] = None
    if "self_attn.q_proj.bias" in w:
      qkv_bias = torch.cat([w["self_attn.q_proj.bias"], w["self_attn.k_proj.bias"], w["self_attn.v_proj.bias"]])
    qk_norm : Optional[Tensor] = None
    if "self_attn.q_norm.weight" in w:
      q_norm = w["self_attn.q_norm.weight"].expand([config.num_attention_heads, -1])
      k_norm = w["self_attn.k_norm.weight"].expand([config.num_key_value_heads, -1])
      qk_norm = torch.cat([q_norm, k_norm])
    gate_up_bias : Optional[Tensor] = None
    if "mlp.gate_proj.bias" in w:
      gate_up_bias = torch.cat([w["mlp.gate_proj.bias"], w["mlp.up_proj.bias"]])
    return __torch__.Layer(
        sliding,
        w["input_layernorm.weight"],
        torch.cat([w["self_attn.q_proj.weight"], w["self_attn.k_proj.weight"], w["self_attn.v_proj.weight"]]),
        qkv_bias,
        qk_norm,
        w["self_attn.o_proj.weight"],
        self.optional(w, "self_attn.o_proj.bias"),
        w["post_attention_layernorm.weight"],
        torch.cat([w["mlp.gate_proj.weight"], w["mlp.up_proj.weight"]]),
        gate_up_bias,
        w["mlp.down_proj.weight"],
        self.optional(w, "mlp.down_proj.bias"))

  def optional(self, w: Dict[str, Tensor], name: str) -> Optional[Tensor]:
    tensor : Optional[Tensor] = None
    if name in w:
      tensor = w[name]
    return tensor

  def model(self, config: __torch__.Config, layers: List[__torch__.Layer], w: Dict[str, Tensor]) -> __torch__.Model:
    embed_tokens = w["model.embed_tokens.weight"]
    lm_head = embed_tokens
    if "lm_head.weight" in w:
      lm_head = w["lm_head.weight"]
    return __torch__.Model(config, embed_tokens, layers, w["model.norm.weight"], lm_head)

  # ---- State: one cache per generation

  # inverse_frequencies: [head_dim / 2], float32 as the reference's angles.
  def open(self, model: __torch__.Model, capacity: int, inverse_frequencies: Tensor) -> __torch__.Cache:
    config = model.config
    like = model.embed_tokens
    shape = [len(model.layers), config.num_key_value_heads, capacity, config.head_dim]
    keys = torch.empty(shape, dtype=like.dtype, device=like.device)
    values = torch.empty(shape, dtype=like.dtype, device=like.device)
    cos, sin = self.rotation(capacity, inverse_frequencies, like)
    return __torch__.Cache(keys, values, cos, sin)

  # Cosines and sines of the angles of the first positions, [positions, 1, head_dim] each.
  def rotation(self, positions: int, inverse_frequencies: Tensor, like: Tensor) -> Tuple[Tensor, Tensor]:
    angles = torch.outer(torch.arange(positions, dtype=6), inverse_frequencies)
    angles = torch.cat([angles, angles], -1).unsqueeze(1)
    return torch.cos(angles).to(like.device, like.dtype), torch.sin(angles).to(like.device, like.dtype)

  # ---- The network

  # Element k pairs with k + head_dim / 2. x: [tokens, heads, head_dim]
  def rotate(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = torch.chunk(x, 2, -1)
    return torch.addcmul(x * cos, torch.cat([torch.neg(second), first], -1), sin)

  # Which cached positions each of the new tokens sees, [tokens, total]; None if plain causal order says it all.
  def mask(self, position: int, tokens: int, window: int, like: Tensor) -> Optional[Tensor]:
    total = position + tokens
    narrow = window > 0 and window < total
    mask : Optional[Tensor] = None
    if tokens > 1 and (position > 0 or narrow):
      query = torch.arange(position, total, device=like.device).unsqueeze(1)
      key = torch.arange(total, device=like.device).unsqueeze(0)
      seen = torch.le(key, query)
      if narrow:
        seen = torch.logical_and(seen, torch.gt(key, query - window))
      mask = seen
    return mask

  # Queries [tokens, heads, head_dim], keys and values [tokens, kv_heads, head_dim]; the first two are rotated.
  def project(self, x: Tensor, layer: __torch__.Layer, config: __torch__.Config, cos: Tensor,
      sin: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    tokens = x.size(0)
    heads = config.num_attention_heads
    kv_heads = config.num_key_value_heads
    head_dim = config.head_dim
    qkv = torch.linear(x, layer.qkv_proj, layer.qkv_bias).view([tokens, heads + 2 * kv_heads, head_dim])
    qk = torch.narrow(qkv, 1, 0, heads + kv_heads)
    norm = layer.qk_norm
    if norm is not None:
      qk = torch.rms_norm(qk, [head_dim], None, config.rms_norm_eps) * norm
    qk = self.rotate(qk, cos, sin)
    return (torch.narrow(qk, 1, 0, heads), torch.narrow(qk, 1, heads, kv_heads),
        torch.narrow(qkv, 1, heads + kv_heads, kv_heads))

  def attention(self, x: Tensor, layer: __torch__.Layer, config: __torch__.Config, keys: Tensor, values: Tensor,
      cos: Tensor, sin: Tensor, position: int, mask: Optional[Tensor]) -> Tensor:
    tokens = x.size(0)
    total = position + tokens
    heads = config.num_attention_heads
    kv_heads = config.num_key_value_heads
    head_dim = config.head_dim
    q, k, v = self.project(x, layer, config, cos, sin)

    # keys, values: [kv_heads, capacity, head_dim]
    torch.copy_(torch.narrow(keys, 1, position, tokens), torch.transpose(k, 0, 1))
    torch.copy_(torch.narrow(values, 1, position, tokens), torch.transpose(v, 0, 1))
    if tokens == 1:
      # The heads of a group see the same keys: they are the rows of one product.
      first = 0
      if layer.sliding:
        first = max(0, total - config.sliding_window)
      seen_keys = torch.narrow(keys, 1, first, total - first).unsqueeze(0)
      seen_values = torch.narrow(values, 1, first, total - first).unsqueeze(0)
      grouped = q.reshape([1, kv_heads, heads // kv_heads, head_dim])
      y = torch.scaled_dot_product_attention(grouped, seen_keys, seen_values)
    else:
      all_keys = torch.narrow(keys, 1, 0, total).unsqueeze(0)
      all_values = torch.narrow(values, 1, 0, total).unsqueeze(0)
      queries = torch.transpose(q, 0, 1).unsqueeze(0)  # [1, heads, tokens, head_dim]
      y = torch.scaled_dot_product_attention(
          queries, all_keys, all_values, mask, 0., mask is None, scale=None, enable_gqa=True)
      y = torch.transpose(y, 1, 2)
    return torch.linear(y.reshape([tokens, heads * head_dim]), layer.o_proj, layer.o_bias)

  def mlp(self, x: Tensor, layer: __torch__.Layer) -> Tensor:
    gate, up = torch.chunk(torch.linear(x, layer.gate_up_proj, layer.gate_up_bias), 2, -1)
    return torch.linear(torch.silu(gate) * up, layer.down_proj, layer.down_bias)

  # Appends x to the cache and returns it after the last layer, before the final norm. What goes into each layer is
  # added to trace if it is wanted.
  def run(self, model: __torch__.Model, cache: __torch__.Cache, x: Tensor, position: int,
      trace: Optional[List[Tensor]]=None) -> Tensor:
    config = model.config
    hidden = [x.size(1)]
    tokens = x.size(0)
    cos = torch.narrow(cache.cos, 0, position, tokens)
    sin = torch.narrow(cache.sin, 0, position, tokens)
    full = self.mask(position, tokens, 0, x)
    sliding = self.mask(position, tokens, config.sliding_window, x)
    for i in range(len(model.layers)):
      layer = model.layers[i]
      if trace is not None:
        trace.append(x)
      mask = full
      if layer.sliding:
        mask = sliding
      normed = torch.rms_norm(x, hidden, layer.input_layernorm, config.rms_norm_eps)
      x = x + self.attention(normed, layer, config, cache.keys[i], cache.values[i], cos, sin, position, mask)
      normed = torch.rms_norm(x, hidden, layer.post_attention_layernorm, config.rms_norm_eps)
      x = x + self.mlp(normed, layer)
    return x

  # The same for several sequences at once, one after the other in x, which do not see each other. Keeps no cache and
  # writes into no tensor, so that it can be differentiated.
  def run_packed(self, model: __torch__.Model, x: Tensor, lengths: List[int],
      inverse_frequencies: Tensor) -> Tensor:
    config = model.config
    hidden = [x.size(1)]
    cos, sin = self.rotation(max(lengths), inverse_frequencies, x)
    all_cos : List[Tensor] = []
    all_sin : List[Tensor] = []
    for length in lengths:
      all_cos.append(torch.narrow(cos, 0, 0, length))
      all_sin.append(torch.narrow(sin, 0, 0, length))
    cos = torch.cat(all_cos)
    sin = torch.cat(all_sin)
    for layer in model.layers:
      normed = torch.rms_norm(x, hidden, layer.input_layernorm, config.rms_norm_eps)
      x = x + self.attention_packed(normed, layer, config, cos, sin, lengths)
      normed = torch.rms_norm(x, hidden, layer.post_attention_layernorm, config.rms_norm_eps)
      x = x + self.mlp(normed, layer)
    return x

  def attention_packed(self, x: Tensor, layer: __torch__.Layer, config: __torch__.Config, cos: Tensor, sin: Tensor,
      lengths: List[int]) -> Tensor:
    window = 0
    if layer.sliding:
      window = config.sliding_window
    q, k, v = self.project(x, layer, config, cos, sin)
    attended : List[Tensor] = []
    first = 0
    for length in lengths:
      queries = torch.transpose(torch.narrow(q, 0, first, length), 0, 1).unsqueeze(0)  # [1, heads, length, head_dim]
      keys = torch.transpose(torch.narrow(k, 0, first, length), 0, 1).unsqueeze(0)
      values = torch.transpose(torch.narrow(v, 0, first, length), 0, 1).unsqueeze(0)
      mask = self.mask(0, length, window, x)
      y = torch.scaled_dot_product_attention(
          queries, keys, values, mask, 0., mask is None, scale=None, enable_gqa=True)
      attended.append(torch.transpose(torch.squeeze(y, 0), 0, 1).reshape([length, -1]))
      first = first + length
    return torch.linear(torch.cat(attended), layer.o_proj, layer.o_bias)

  def head(self, model: __torch__.Model, x: Tensor) -> Tensor:
    return torch.linear(x, model.lm_head)

  def final_norm(self, model: __torch__.Model, x: Tensor) -> Tensor:
    return torch.rms_norm(x, [x.size(1)], model.norm, model.config.rms_norm_eps)

  # of the last of the tokens that are appended: [vocab], float32
  def last_logits(self, model: __torch__.Model, cache: __torch__.Cache, inputs_embeds: Tensor, position: int) -> Tensor:
    x = inputs_embeds.to(model.embed_tokens.device, model.embed_tokens.dtype)
    x = self.run(model, cache, x, position)
    last = torch.narrow(x, 0, x.size(0) - 1, 1)
    return self.head(model, self.final_norm(model, last)).to(6).view([-1])

  # ---- The next token, by the rules of Sampler and Scores and in their types: the same logits give the same token.

  # A divisor in a tensor is divided by; CUDA multiplies by the reciprocal of a plain number, which rounds differently.
  def number(self, x: float, like: Tensor) -> Tensor:
    return torch.full([1], x, dtype=6, device=like.device)

  def probabilities(self, scores: Tensor) -> Tensor:
    exponentials = torch.exp((scores - torch.max(scores)).to(7)).to(6).to(7)
    return (exponentials / torch.sum(exponentials)).to(6)

  # scores: [vocab]; removed tokens get minus infinity
  def process(self, scores: Tensor, temperature: float, top_k: int, top_p: float, min_p: float,
      repetition_penalty: float, seen: Tensor) -> Tensor:
    if repetition_penalty != 1.:
      penalty = self.number(repetition_penalty, scores)
      ids = seen.to(scores.device)
      score = torch.index_select(scores, 0, ids)
      score = torch.where(torch.lt(score, 0), score * penalty, score / penalty)
      scores = torch.index_copy(scores, 0, ids, score)
    if temperature != 0.:
      if temperature != 1.:
        scores = scores / self.number(temperature, scores)
      if top_k > 0 and top_k < scores.size(0):
        largest, _ = torch.topk(scores, top_k)
        scores = torch.masked_fill(scores, torch.lt(scores, torch.min(largest)), -float("inf"))
      if top_p < 1.:
        scores = torch.masked_fill(scores, self.tail(scores, top_p), -float("inf"))
      if min_p > 0.:
        p = self.probabilities(scores)
        scores = torch.masked_fill(scores, torch.lt(p, self.number(min_p, p) * torch.max(p)), -float("inf"))
    return scores

  # The least likely tokens, whose probabilities from the smallest on add up to at most 1 - top_p, but not the likeliest.
  def tail(self, scores: Tensor, top_p: float) -> Tensor:
    _, order = torch.sort(scores, stable=True)
    sums = torch.cumsum(torch.index_select(self.probabilities(scores), 0, order).to(7), 0).to(6)
    removed = torch.le(sums, self.number(1. - top_p, sums))
    torch.fill_(torch.narrow(removed, 0, removed.size(0) - 1, 1), False)
    return torch.scatter(removed, 0, order, removed)

  # point: where the draw falls, in [0, 1)
  def choose(self, logits: Tensor, how: Tuple[float, int, float, float, float, float], seen: Tensor,
      failed_logits: Tensor) -> int:
    temperature, top_k, top_p, min_p, repetition_penalty, point = how
    scores = self.process(logits, temperature, top_k, top_p, min_p, repetition_penalty, seen)
    if temperature == 0.:
      id = torch.where(torch.gt(torch.max(scores), -float("inf")), torch.argmax(scores), -1)
    else:
      sums = torch.cumsum(self.probabilities(scores).to(7), 0)
      total = sums[-1]
      id = torch.minimum(torch.sum(torch.le(sums, total * point)), torch.argmax(sums))
      id = torch.where(torch.gt(total, 0), id, -1)
    token = int(id)
    if token < 0:
      torch.copy_(failed_logits, logits)
    return token

  # ---- What is called. Results go into tensors of the caller, float32 on the CPU.

  # ids: [tokens]; embeddings: [tokens, hidden]
  def embed(self, model: __torch__.Model, ids: Tensor, embeddings: Tensor) -> int:
    torch.copy_(embeddings, torch.embedding(model.embed_tokens, ids.to(model.embed_tokens.device)))
    return embeddings.size(0)

  # logits of the last token: [vocab]
  def prefill(self, model: __torch__.Model, cache: __torch__.Cache, inputs_embeds: Tensor, position: int,
      logits: Tensor) -> int:
    torch.copy_(logits, self.last_logits(model, cache, inputs_embeds, position))
    return position + inputs_embeds.size(0)

  # logits: [vocab]
  def step(self, model: __torch__.Model, cache: __torch__.Cache, token: int, position: int, logits: Tensor) -> int:
    torch.copy_(logits, self.last_logits(model, cache, torch.narrow(model.embed_tokens, 0, token, 1), position))
    return position + 1

  # The next token instead of the logits; -1 if they are not numbers, and then they are in logits.
  # how: temperature, top_k, top_p, min_p, repetition_penalty, point; seen: [ids]
  def prefill_and_choose(self, model: __torch__.Model, cache: __torch__.Cache, inputs_embeds: Tensor, position: int,
      how: Tuple[float, int, float, float, float, float], seen: Tensor, logits: Tensor) -> int:
    return self.choose(self.last_logits(model, cache, inputs_embeds, position), how, seen, logits)

  def step_and_choose(self, model: __torch__.Model, cache: __torch__.Cache, token: int, position: int,
      how: Tuple[float, int, float, float, float, float], seen: Tensor, logits: Tensor) -> int:
    x = torch.narrow(model.embed_tokens, 0, token, 1)
    return self.choose(self.last_logits(model, cache, x, position), how, seen, logits)

  # hidden_states: [layers + 1, tokens, hidden]; logits: [tokens, vocab]; keys, values: as in the cache
  def trace(self, model: __torch__.Model, cache: __torch__.Cache, inputs_embeds: Tensor, hidden_states: Tensor,
      logits: Tensor, keys: Tensor, values: Tensor) -> int:
    states : List[Tensor] = []
    x = inputs_embeds.to(model.embed_tokens.device, model.embed_tokens.dtype)
    x = self.final_norm(model, self.run(model, cache, x, 0, states))
    states.append(x)
    torch.copy_(hidden_states, torch.stack(states))
    torch.copy_(logits, self.head(model, x))
    torch.copy_(keys, cache.keys)
    torch.copy_(values, cache.values)
    return x.size(0)

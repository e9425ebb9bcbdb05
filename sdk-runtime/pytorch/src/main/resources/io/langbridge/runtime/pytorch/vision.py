# CLIP's and SigLIP's vision tower. Shapes are [tiles, tokens, hidden] unless noted. Annotations are needed: this is
# TorchScript.


class Config(NamedTuple):
  clip : bool  # otherwise SigLIP
  num_attention_heads : int
  patch_size : int
  hidden_act : str
  layer_norm_eps : float


class Layer(NamedTuple):
  layer_norm1 : Tensor  # [hidden]
  layer_norm1_bias : Tensor
  qkv_proj : Tensor  # [3 * hidden, hidden]
  qkv_bias : Tensor
  out_proj : Tensor  # [hidden, hidden]
  out_bias : Tensor
  layer_norm2 : Tensor  # [hidden]
  layer_norm2_bias : Tensor
  fc1 : Tensor  # [intermediate, hidden]
  fc1_bias : Tensor
  fc2 : Tensor  # [hidden, intermediate]
  fc2_bias : Tensor


class Tower(NamedTuple):
  config : __torch__.Config
  patch_embedding : Tensor  # [hidden, 3, patch_size, patch_size]
  patch_bias : Optional[Tensor]  # SigLIP: [hidden]
  class_embedding : Optional[Tensor]  # CLIP: [hidden]
  position_embedding : Tensor  # [tokens, hidden]
  pre_layrnorm : Optional[Tensor]  # CLIP: [hidden]
  pre_layrnorm_bias : Optional[Tensor]
  layers : List[__torch__.Layer]


class Vision(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # ---- Loading: tensors by their names in the checkpoint

  def config(self, clip: bool, num_attention_heads: int, patch_size: int, hidden_act: str,
      layer_norm_eps: float) -> __torch__.Config:
    return __torch__.Config(clip, num_attention_heads, patch_size, hidden_act, layer_norm_eps)

  def layer(self, w: Dict[str, Tensor]) -> __torch__.Layer:
    return __torch__.Layer(
        w["layer_norm1.weight"],
        w["layer_norm1.bias"],
        torch.cat([w["self_attn.q_proj.weight"], w["self_attn.k_proj.weight"], w["self_attn.v_proj.weight"]]),
        torch.cat([w["self_attn.q_proj.bias"], w["self_attn.k_proj.bias"], w["self_attn.v_proj.bias"]]),
        w["self_attn.out_proj.weight"],
        w["self_attn.out_proj.bias"],
        w["layer_norm2.weight"],
        w["layer_norm2.bias"],
        w["mlp.fc1.weight"],
        w["mlp.fc1.bias"],
        w["mlp.fc2.weight"],
        w["mlp.fc2.bias"])

  def optional(self, w: Dict[str, Tensor], name: str) -> Optional[Tensor]:
    tensor : Optional[Tensor] = None
    if name in w:
      tensor = w[name]
    return tensor

  def tower(self, config: __torch__.Config, layers: List[__torch__.Layer], w: Dict[str, Tensor]) -> __torch__.Tower:
    return __torch__.Tower(
        config,
        w["embeddings.patch_embedding.weight"],
        self.optional(w, "embeddings.patch_embedding.bias"),
        self.optional(w, "embeddings.class_embedding"),
        w["embeddings.position_embedding.weight"],
        self.optional(w, "pre_layrnorm.weight"),
        self.optional(w, "pre_layrnorm.bias"),
        layers)

  # ---- The network

  # pixels: [tiles, 3, image_size, image_size]
  def embeddings(self, tower: __torch__.Tower, pixels: Tensor) -> Tensor:
    config = tower.config
    patch = [config.patch_size, config.patch_size]
    x = pixels.to(tower.patch_embedding.device, tower.patch_embedding.dtype)
    x = torch.conv2d(x, tower.patch_embedding, tower.patch_bias, patch)  # [tiles, hidden, rows, columns]
    x = torch.transpose(torch.flatten(x, 2), 1, 2)
    class_embedding = tower.class_embedding
    if class_embedding is not None:
      x = torch.cat([class_embedding.expand([x.size(0), 1, -1]), x], 1)
    x = x + tower.position_embedding
    pre_layrnorm = tower.pre_layrnorm
    if pre_layrnorm is not None:
      x = torch.layer_norm(x, [x.size(2)], pre_layrnorm, tower.pre_layrnorm_bias, config.layer_norm_eps)
    return x

  # q: [tiles, queries, hidden]; k, v: [tiles, tokens, hidden]
  def multi_head(self, q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    head_dim = q.size(2) // heads
    q = torch.transpose(q.unflatten(2, [heads, head_dim]), 1, 2)
    k = torch.transpose(k.unflatten(2, [heads, head_dim]), 1, 2)
    v = torch.transpose(v.unflatten(2, [heads, head_dim]), 1, 2)
    y = torch.scaled_dot_product_attention(q, k, v)  # [tiles, heads, queries, head_dim]
    return torch.flatten(torch.transpose(y, 1, 2), 2)

  def activation(self, x: Tensor, name: str) -> Tensor:
    if name == "quick_gelu":
      y = x * torch.sigmoid(1.702 * x)
    elif name == "gelu":
      y = torch.gelu(x)
    elif name == "gelu_pytorch_tanh":
      y = torch.gelu(x, approximate="tanh")
    else:
      y = torch.silu(x)
    return y

  def run_layer(self, x: Tensor, layer: __torch__.Layer, config: __torch__.Config) -> Tensor:
    hidden = [x.size(2)]
    normed = torch.layer_norm(x, hidden, layer.layer_norm1, layer.layer_norm1_bias, config.layer_norm_eps)
    q, k, v = torch.chunk(torch.linear(normed, layer.qkv_proj, layer.qkv_bias), 3, -1)
    x = x + torch.linear(self.multi_head(q, k, v, config.num_attention_heads), layer.out_proj, layer.out_bias)
    normed = torch.layer_norm(x, hidden, layer.layer_norm2, layer.layer_norm2_bias, config.layer_norm_eps)
    inner = self.activation(torch.linear(normed, layer.fc1, layer.fc1_bias), config.hidden_act)
    return x + torch.linear(inner, layer.fc2, layer.fc2_bias)

  # [tiles, tokens - first, hidden]; first: 1 leaves out the class token
  def run(self, tower: __torch__.Tower, pixels: Tensor, first: int) -> Tensor:
    x = self.embeddings(tower, pixels)
    for layer in tower.layers:
      x = self.run_layer(x, layer, tower.config)
    return torch.narrow(x, 1, first, x.size(1) - first)

  # SigLIP: a learnt query attends to all tokens, [tiles, hidden].
  def attention_pooling(self, x: Tensor, config: __torch__.Config, w: Dict[str, Tensor]) -> Tensor:
    hidden = x.size(2)
    w_q, w_k, w_v = torch.chunk(w["head.attention.in_proj_weight"], 3)
    b_q, b_k, b_v = torch.chunk(w["head.attention.in_proj_bias"], 3)
    q = torch.linear(w["head.probe"], w_q, b_q).expand([x.size(0), -1, -1])
    pooled = self.multi_head(q, torch.linear(x, w_k, b_k), torch.linear(x, w_v, b_v), config.num_attention_heads)
    pooled = torch.linear(pooled, w["head.attention.out_proj.weight"], w["head.attention.out_proj.bias"])
    normed = torch.layer_norm(
        pooled, [hidden], w["head.layernorm.weight"], w["head.layernorm.bias"], config.layer_norm_eps)
    inner = self.activation(torch.linear(normed, w["head.mlp.fc1.weight"], w["head.mlp.fc1.bias"]), config.hidden_act)
    return torch.squeeze(pooled + torch.linear(inner, w["head.mlp.fc2.weight"], w["head.mlp.fc2.bias"]), 1)

  # ---- What is called. Results go into tensors of the caller, float32 on the CPU.

  # features: [tiles, tokens - first, hidden]
  def forward(self, tower: __torch__.Tower, pixels: Tensor, first: int, features: Tensor) -> int:
    torch.copy_(features, self.run(tower, pixels, first).to(6))
    return pixels.size(0)

  # hidden_states: [layers + 1, tiles, tokens, hidden]; pooled: [tiles, hidden], filled if w holds the pooling head
  def trace(self, tower: __torch__.Tower, w: Dict[str, Tensor], pixels: Tensor, hidden_states: Tensor,
      last_hidden_state: Tensor, pooled: Tensor) -> int:
    config = tower.config
    x = self.embeddings(tower, pixels)
    states = [x]
    for layer in tower.layers:
      x = self.run_layer(x, layer, config)
      states.append(x)
    torch.copy_(hidden_states, torch.stack(states))
    if config.clip:
      torch.copy_(last_hidden_state, x)
      if "post_layernorm.weight" in w:
        torch.copy_(pooled, self.post_layernorm(torch.select(x, 1, 0), config, w))
    else:
      x = self.post_layernorm(x, config, w)
      torch.copy_(last_hidden_state, x)
      if "head.probe" in w:
        torch.copy_(pooled, self.attention_pooling(x, config, w))
    return x.size(0)

  def post_layernorm(self, x: Tensor, config: __torch__.Config, w: Dict[str, Tensor]) -> Tensor:
    return torch.layer_norm(
        x, [x.size(-1)], w["post_layernorm.weight"], w["post_layernorm.bias"], config.layer_norm_eps)

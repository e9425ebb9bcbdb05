# tiny decoder
# w[0]: model.embed_tokens.weight
# w[1]: model.layers.0.input_layernorm.weight
# w[2]: model.layers.0.self_attn.q_proj.weight | model.layers.0.self_attn.k_proj.weight | model.layers.0.self_attn.v_proj.weight
# w[3]: 4 x model.layers.0.self_attn.q_norm.weight | 2 x model.layers.0.self_attn.k_norm.weight
# w[4]: model.layers.0.self_attn.o_proj.weight
# w[5]: model.layers.0.post_attention_layernorm.weight
# w[6]: model.layers.0.mlp.gate_proj.weight | model.layers.0.mlp.up_proj.weight
# w[7]: model.layers.0.mlp.down_proj.weight
# w[8]: model.layers.1.input_layernorm.weight
# w[9]: model.layers.1.self_attn.q_proj.weight | model.layers.1.self_attn.k_proj.weight | model.layers.1.self_attn.v_proj.weight
# w[10]: 4 x model.layers.1.self_attn.q_norm.weight | 2 x model.layers.1.self_attn.k_norm.weight
# w[11]: model.layers.1.self_attn.o_proj.weight
# w[12]: model.layers.1.post_attention_layernorm.weight
# w[13]: model.layers.1.mlp.gate_proj.weight | model.layers.1.mlp.up_proj.weight
# w[14]: model.layers.1.mlp.down_proj.weight
# w[15]: model.norm.weight

  def embedding_scale(self) -> float:
    return 1.0

  def second_scale(self) -> float:
    return 0.0

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = self.widened(x, 48)
    v1 = torch.narrow(v0, -1, 0, 24)
    v2 = torch.narrow(v0, -1, 24, 24)
    v3 = torch.rms_norm(v1, [24], w[1], 1.0E-5)
    mask = self.mask(v3, c, 0, False)
    v4 = torch.linear(v3, w[2], None)
    v5 = self.cached_attention(v4, w[3], 1.0E-5, c, 0, 0, 0, 4, 2, 0.4082482904638631, 0.0, 0, mask, False)
    v6 = torch.linear(v5, w[4], None)
    v7 = v1 + v6
    v8 = torch.rms_norm(v7, [24], w[5], 1.0E-5)
    v9 = torch.linear(v8, w[6], None)
    v9_gate, v9_up = torch.chunk(v9, 2, -1)
    v10 = torch.silu(v9_gate) * v9_up
    v11 = torch.linear(v10, w[7], None)
    v12 = v7 + v11
    v13 = v12 + v2
    v14 = torch.rms_norm(v13, [24], w[8], 1.0E-5)
    v15 = torch.linear(v14, w[9], None)
    v16 = self.cached_attention(v15, w[10], 1.0E-5, c, 1, 0, 0, 4, 2, 0.4082482904638631, 0.0, 0, mask, True)
    v17 = torch.linear(v16, w[11], None)
    v18 = self.answered(v13, c)
    v19 = v18 + v17
    v20 = torch.rms_norm(v19, [24], w[12], 1.0E-5)
    v21 = torch.linear(v20, w[13], None)
    v21_gate, v21_up = torch.chunk(v21, 2, -1)
    v22 = torch.silu(v21_gate) * v21_up
    v23 = torch.linear(v22, w[14], None)
    v24 = v19 + v23
    v25 = torch.rms_norm(v24, [24], w[15], 1.0E-5)
    v26 = torch.linear(v25, w[0], None)
    return v26

# qwen3_5 decoder
# w[0]: model.embed_tokens.weight
# w[1]: model.layers.0.input_layernorm.weight
# w[2]: model.layers.0.linear_attn.in_proj_qkv.weight | model.layers.0.linear_attn.in_proj_z.weight | model.layers.0.linear_attn.in_proj_b.weight | model.layers.0.linear_attn.in_proj_a.weight
# w[3]: model.layers.0.linear_attn.conv1d.weight
# w[4]: model.layers.0.linear_attn.A_log
# w[5]: model.layers.0.linear_attn.dt_bias
# w[6]: model.layers.0.linear_attn.norm.weight
# w[7]: model.layers.0.linear_attn.out_proj.weight
# w[8]: model.layers.0.post_attention_layernorm.weight
# w[9]: model.layers.0.mlp.gate_proj.weight | model.layers.0.mlp.up_proj.weight
# w[10]: model.layers.0.mlp.down_proj.weight
# w[11]: model.layers.1.input_layernorm.weight
# w[12]: model.layers.1.self_attn.q_proj.weight | model.layers.1.self_attn.k_proj.weight | model.layers.1.self_attn.v_proj.weight
# w[13]: 4 x model.layers.1.self_attn.q_norm.weight | 2 x model.layers.1.self_attn.k_norm.weight
# w[14]: model.layers.1.self_attn.o_proj.weight
# w[15]: model.layers.1.post_attention_layernorm.weight
# w[16]: model.layers.1.mlp.gate_proj.weight | model.layers.1.mlp.up_proj.weight
# w[17]: model.layers.1.mlp.down_proj.weight
# w[18]: model.norm.weight

  def embedding_scale(self) -> float:
    return 1.0

  def second_scale(self) -> float:
    return 0.0

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.rms_norm(x, [24], w[1], 1.0E-5)
    v1 = torch.linear(v0, w[2], None)
    v2 = self.delta_rule(v1, w[3], w[4], w[5], w[6], 1.0E-5, c, 0, 2, 6, 4, 10, False)
    v3 = torch.linear(v2, w[7], None)
    v4 = x + v3
    v5 = torch.rms_norm(v4, [24], w[8], 1.0E-5)
    v6 = torch.linear(v5, w[9], None)
    v6_gate, v6_up = torch.chunk(v6, 2, -1)
    v7 = torch.silu(v6_gate) * v6_up
    v8 = torch.linear(v7, w[10], None)
    v9 = v4 + v8
    v10 = torch.rms_norm(v9, [24], w[11], 1.0E-5)
    mask = self.mask(v10, c, 0, False)
    v11 = torch.linear(v10, w[12], None)
    v12 = self.cached_gated_attention(v11, w[13], 1.0E-5, c, 0, 0, 0, 4, 2, 0.35355339059327373, 0.0, 0, mask, True)
    v13 = torch.linear(v12, w[14], None)
    v14 = self.answered(v9, c)
    v15 = v14 + v13
    v16 = torch.rms_norm(v15, [24], w[15], 1.0E-5)
    v17 = torch.linear(v16, w[16], None)
    v17_gate, v17_up = torch.chunk(v17, 2, -1)
    v18 = torch.silu(v17_gate) * v17_up
    v19 = torch.linear(v18, w[17], None)
    v20 = v15 + v19
    v21 = torch.rms_norm(v20, [24], w[18], 1.0E-5)
    v22 = torch.linear(v21, w[0], None)
    return v22

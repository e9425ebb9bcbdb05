# tiny decoder
# w[0]: model.embed_tokens.weight
# w[1]: model.layers.0.input_layernorm.weight
# w[2]: model.layers.0.self_attn.q_proj.weight | model.layers.0.self_attn.k_proj.weight | model.layers.0.self_attn.v_proj.weight
# w[3]: 4 x model.layers.0.self_attn.q_norm.weight | 2 x model.layers.0.self_attn.k_norm.weight
# w[4]: model.layers.0.self_attn.o_proj.weight
# w[5]: model.layers.0.post_attention_layernorm.weight
# w[6]: model.layers.0.pre_feedforward_layernorm.weight
# w[7]: model.layers.0.mlp.gate_proj.weight | model.layers.0.mlp.up_proj.weight
# w[8]: model.layers.0.mlp.down_proj.weight
# w[9]: model.layers.0.post_feedforward_layernorm.weight
# w[10]: model.layers.1.input_layernorm.weight
# w[11]: model.layers.1.self_attn.q_proj.weight | model.layers.1.self_attn.k_proj.weight | model.layers.1.self_attn.v_proj.weight
# w[12]: 4 x model.layers.1.self_attn.q_norm.weight | 2 x model.layers.1.self_attn.k_norm.weight
# w[13]: model.layers.1.self_attn.o_proj.weight
# w[14]: model.layers.1.post_attention_layernorm.weight
# w[15]: model.layers.1.pre_feedforward_layernorm.weight
# w[16]: model.layers.1.mlp.gate_proj.weight | model.layers.1.mlp.up_proj.weight
# w[17]: model.layers.1.mlp.down_proj.weight
# w[18]: model.layers.1.post_feedforward_layernorm.weight
# w[19]: model.norm.weight

  def embedding_scale(self) -> float:
    return 4.8989797

  def second_scale(self) -> float:
    return 0.0

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.rms_norm(x, [24], w[1], 1.0E-5)
    mask4 = self.mask(v0, c, 4, False)
    v1 = torch.linear(v0, w[2], None)
    v2 = self.cached_attention(v1, w[3], 1.0E-5, c, 0, 0, 0, 4, 2, 0.31622776601683794, 5.0, 4, mask4, False)
    v3 = torch.linear(v2, w[4], None)
    v4 = torch.rms_norm(v3, [24], w[5], 1.0E-5)
    v5 = x + v4
    v6 = torch.rms_norm(v5, [24], w[6], 1.0E-5)
    v7 = torch.linear(v6, w[7], None)
    v7_gate, v7_up = torch.chunk(v7, 2, -1)
    v8 = torch.gelu(v7_gate, approximate="tanh") * v7_up
    v9 = torch.linear(v8, w[8], None)
    v10 = torch.rms_norm(v9, [24], w[9], 1.0E-5)
    v11 = v5 + v10
    v12 = torch.rms_norm(v11, [24], w[10], 1.0E-5)
    mask = self.mask(v12, c, 0, False)
    v13 = torch.linear(v12, w[11], None)
    v14 = self.cached_attention(v13, w[12], 1.0E-5, c, 1, 1, 1, 4, 2, 0.31622776601683794, 5.0, 0, mask, True)
    v15 = torch.linear(v14, w[13], None)
    v16 = self.answered(v11, c)
    v17 = torch.rms_norm(v15, [24], w[14], 1.0E-5)
    v18 = v16 + v17
    v19 = torch.rms_norm(v18, [24], w[15], 1.0E-5)
    v20 = torch.linear(v19, w[16], None)
    v20_gate, v20_up = torch.chunk(v20, 2, -1)
    v21 = torch.gelu(v20_gate, approximate="tanh") * v20_up
    v22 = torch.linear(v21, w[17], None)
    v23 = torch.rms_norm(v22, [24], w[18], 1.0E-5)
    v24 = v18 + v23
    v25 = torch.rms_norm(v24, [24], w[19], 1.0E-5)
    v26 = torch.linear(v25, w[0], None)
    v27 = self.capped(v26, 6.0)
    return v27

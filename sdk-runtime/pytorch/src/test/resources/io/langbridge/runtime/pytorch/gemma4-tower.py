# vision encoder
# w[0]: patch_embedder.input_proj.weight
# w[1]: patch_embedder.position_embedding_table
# w[2]: encoder.layers.0.input_layernorm.weight
# w[3]: encoder.layers.0.self_attn.q_proj.linear.weight
# w[4]: encoder.layers.0.self_attn.q_norm.weight
# w[5]: encoder.layers.0.self_attn.k_proj.linear.weight
# w[6]: encoder.layers.0.self_attn.k_norm.weight
# w[7]: encoder.layers.0.self_attn.v_proj.linear.weight
# w[8]: encoder.layers.0.self_attn.o_proj.linear.weight
# w[9]: encoder.layers.0.post_attention_layernorm.weight
# w[10]: encoder.layers.0.pre_feedforward_layernorm.weight
# w[11]: encoder.layers.0.mlp.gate_proj.linear.weight
# w[12]: encoder.layers.0.mlp.up_proj.linear.weight
# w[13]: encoder.layers.0.mlp.down_proj.linear.weight
# w[14]: encoder.layers.0.post_feedforward_layernorm.weight

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = x * 2.0 + -1.0
    v1 = torch.linear(v0, w[0], None)
    v2 = torch.squeeze(c.inputs[0].to(w[0].device).to(4), -1)
    v3 = torch.index_select(w[1].view([18, 16]), 0, v2)
    v4 = v1 + v3
    v5 = torch.squeeze(c.inputs[1].to(w[0].device).to(4), -1)
    v6 = torch.index_select(w[1].view([18, 16]), 0, v5)
    v7 = v4 + v6
    v8 = c.inputs[2].to(w[0].device).to(w[0].dtype)
    v9 = c.inputs[3].to(w[0].device).to(w[0].dtype)
    v10 = torch.rms_norm(v7, [16], w[2], 1.0E-5)
    v11 = torch.clamp(v10, -3.0, float("inf"))
    v12 = torch.linear(v11, w[3], None)
    v13 = torch.clamp(v12, -3.0, float("inf"))
    v14 = self.norm_each(v13, 8, w[4], 1.0E-5)
    v15 = torch.clamp(v10, -3.0, float("inf"))
    v16 = torch.linear(v15, w[5], None)
    v17 = torch.clamp(v16, -3.0, float("inf"))
    v18 = self.norm_each(v17, 8, w[6], 1.0E-5)
    v19 = torch.clamp(v10, -3.0, float("inf"))
    v20 = torch.linear(v19, w[7], None)
    v21 = torch.clamp(v20, -3.0, float("inf"))
    v22 = self.norm_each(v21, 8, None, 1.0E-5)
    v23 = self.rotated(v14, v8, v9)
    v24 = self.rotated(v18, v8, v9)
    v25 = self.heads(v23, v24, v22, 2, 2, 1.0)
    v26 = torch.clamp(v25, -3.0, float("inf"))
    v27 = torch.linear(v26, w[8], None)
    v28 = torch.clamp(v27, -3.0, float("inf"))
    v29 = torch.rms_norm(v28, [16], w[9], 1.0E-5)
    v30 = v7 + v29
    v31 = torch.rms_norm(v30, [16], w[10], 1.0E-5)
    v32 = torch.clamp(v31, -3.0, float("inf"))
    v33 = torch.linear(v32, w[11], None)
    v34 = torch.clamp(v33, -3.0, float("inf"))
    v35 = torch.gelu(v34, approximate="tanh")
    v36 = torch.clamp(v31, -3.0, float("inf"))
    v37 = torch.linear(v36, w[12], None)
    v38 = torch.clamp(v37, -3.0, float("inf"))
    v39 = v35 * v38
    v40 = torch.clamp(v39, -3.0, float("inf"))
    v41 = torch.linear(v40, w[13], None)
    v42 = torch.clamp(v41, -3.0, float("inf"))
    v43 = torch.rms_norm(v42, [16], w[14], 1.0E-5)
    v44 = v30 + v43
    return v44

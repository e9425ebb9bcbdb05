# gemma4 decoder
# w[0]: model.embed_tokens.weight
# w[1]: model.embed_tokens_per_layer.weight (SELDOM)
# w[2]: model.per_layer_model_projection.weight
# w[3]: model.per_layer_projection_norm.weight
# w[4]: model.layers.0.input_layernorm.weight
# w[5]: model.layers.0.self_attn.q_proj.weight | model.layers.0.self_attn.k_proj.weight | model.layers.0.self_attn.v_proj.weight
# w[6]: 4 x model.layers.0.self_attn.q_norm.weight | 2 x model.layers.0.self_attn.k_norm.weight
# w[7]: model.layers.0.self_attn.o_proj.weight
# w[8]: model.layers.0.post_attention_layernorm.weight
# w[9]: model.layers.0.pre_feedforward_layernorm.weight
# w[10]: model.layers.0.mlp.gate_proj.weight | model.layers.0.mlp.up_proj.weight
# w[11]: model.layers.0.mlp.down_proj.weight
# w[12]: model.layers.0.post_feedforward_layernorm.weight
# w[13]: model.layers.0.per_layer_input_gate.weight
# w[14]: model.layers.0.per_layer_projection.weight
# w[15]: model.layers.0.post_per_layer_input_norm.weight
# w[16]: model.layers.0.layer_scalar
# w[17]: model.layers.1.input_layernorm.weight
# w[18]: model.layers.1.self_attn.q_proj.weight | model.layers.1.self_attn.k_proj.weight
# w[19]: 4 x model.layers.1.self_attn.q_norm.weight | 1 x model.layers.1.self_attn.k_norm.weight
# w[20]: model.layers.1.self_attn.o_proj.weight
# w[21]: model.layers.1.post_attention_layernorm.weight
# w[22]: model.layers.1.pre_feedforward_layernorm.weight
# w[23]: model.layers.1.mlp.gate_proj.weight | model.layers.1.mlp.up_proj.weight
# w[24]: model.layers.1.mlp.down_proj.weight
# w[25]: model.layers.1.post_feedforward_layernorm.weight
# w[26]: model.layers.1.per_layer_input_gate.weight
# w[27]: model.layers.1.per_layer_projection.weight
# w[28]: model.layers.1.post_per_layer_input_norm.weight
# w[29]: model.layers.1.layer_scalar
# w[30]: model.layers.2.input_layernorm.weight
# w[31]: model.layers.2.self_attn.q_proj.weight
# w[32]: 4 x model.layers.2.self_attn.q_norm.weight
# w[33]: model.layers.2.self_attn.o_proj.weight
# w[34]: model.layers.2.post_attention_layernorm.weight
# w[35]: model.layers.2.pre_feedforward_layernorm.weight
# w[36]: model.layers.2.mlp.gate_proj.weight | model.layers.2.mlp.up_proj.weight
# w[37]: model.layers.2.mlp.down_proj.weight
# w[38]: model.layers.2.post_feedforward_layernorm.weight
# w[39]: model.layers.2.per_layer_input_gate.weight
# w[40]: model.layers.2.per_layer_projection.weight
# w[41]: model.layers.2.post_per_layer_input_norm.weight
# w[42]: model.layers.2.layer_scalar
# w[43]: model.layers.3.input_layernorm.weight
# w[44]: model.layers.3.self_attn.q_proj.weight
# w[45]: 4 x model.layers.3.self_attn.q_norm.weight
# w[46]: model.layers.3.self_attn.o_proj.weight
# w[47]: model.layers.3.post_attention_layernorm.weight
# w[48]: model.layers.3.pre_feedforward_layernorm.weight
# w[49]: model.layers.3.mlp.gate_proj.weight | model.layers.3.mlp.up_proj.weight
# w[50]: model.layers.3.mlp.down_proj.weight
# w[51]: model.layers.3.post_feedforward_layernorm.weight
# w[52]: model.layers.3.per_layer_input_gate.weight
# w[53]: model.layers.3.per_layer_projection.weight
# w[54]: model.layers.3.post_per_layer_input_norm.weight
# w[55]: model.layers.3.layer_scalar
# w[56]: model.norm.weight

  def embedding_scale(self) -> float:
    return 4.8989797

  def second_scale(self) -> float:
    return 1.7320508

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.narrow(x, -1, 0, 24)
    v1 = torch.narrow(x, -1, 24, 12)
    v2 = torch.linear(v0, w[2], None)
    v3 = self.norm_each(v2, 3, w[3], 2.4E-4)
    v4 = v3 + v1
    v5 = torch.rms_norm(v0, [24], w[4], 1.0E-5)
    open_mask4 = self.mask(v5, c, 4, True)
    v6 = torch.linear(v5, w[5], None)
    v6_q, v6_k, v6_v = self.all_normed_heads(v6, w[6], 1.0E-5, c, 0, 4)
    v7 = self.attended(v6_q, v6_k, v6_v, c, 0, True, 1.0, 0.0, 4, open_mask4, False)
    v8 = torch.linear(v7, w[7], None)
    v9 = torch.rms_norm(v8, [24], w[8], 1.0E-5)
    v10 = v0 + v9
    v11 = torch.rms_norm(v10, [24], w[9], 1.0E-5)
    v12 = torch.linear(v11, w[10], None)
    v12_gate, v12_up = torch.chunk(v12, 2, -1)
    v13 = torch.gelu(v12_gate, approximate="tanh") * v12_up
    v14 = torch.linear(v13, w[11], None)
    v15 = torch.rms_norm(v14, [24], w[12], 1.0E-5)
    v16 = v10 + v15
    v17 = torch.narrow(v4, -1, 0, 3)
    v18 = torch.linear(v16, w[13], None)
    v19 = torch.gelu(v18, approximate="tanh")
    v20 = v19 * v17
    v21 = torch.linear(v20, w[14], None)
    v22 = torch.rms_norm(v21, [24], w[15], 2.0E-5)
    v23 = v16 + v22
    v24 = v23 * w[16].view([1, 1])
    v25 = torch.rms_norm(v24, [24], w[17], 1.0E-5)
    mask = self.mask(v25, c, 0, False)
    v26 = torch.linear(v25, w[18], None)
    v26_q, v26_k, v26_v = self.all_normed_heads(v26, w[19], 1.0E-5, c, 1, 4)
    v27 = self.attended(v26_q, v26_k, v26_v, c, 1, True, 1.0, 0.0, 0, mask, False)
    v28 = torch.linear(v27, w[20], None)
    v29 = torch.rms_norm(v28, [24], w[21], 1.0E-5)
    v30 = v24 + v29
    v31 = torch.rms_norm(v30, [24], w[22], 1.0E-5)
    v32 = torch.linear(v31, w[23], None)
    v32_gate, v32_up = torch.chunk(v32, 2, -1)
    v33 = torch.gelu(v32_gate, approximate="tanh") * v32_up
    v34 = torch.linear(v33, w[24], None)
    v35 = torch.rms_norm(v34, [24], w[25], 1.0E-5)
    v36 = v30 + v35
    v37 = torch.narrow(v4, -1, 3, 3)
    v38 = torch.linear(v36, w[26], None)
    v39 = torch.gelu(v38, approximate="tanh")
    v40 = v39 * v37
    v41 = torch.linear(v40, w[27], None)
    v42 = torch.rms_norm(v41, [24], w[28], 2.0E-5)
    v43 = v36 + v42
    v44 = v43 * w[29].view([1, 1])
    v45 = torch.rms_norm(v44, [24], w[30], 1.0E-5)
    v46 = torch.linear(v45, w[31], None)
    v47 = self.normed_heads(v46, w[32], 1.0E-5, c, 0)
    v48 = self.attended(v47, v6_k, v6_v, c, 0, False, 1.0, 0.0, 4, open_mask4, False)
    v49 = torch.linear(v48, w[33], None)
    v50 = torch.rms_norm(v49, [24], w[34], 1.0E-5)
    v51 = v44 + v50
    v52 = torch.rms_norm(v51, [24], w[35], 1.0E-5)
    v53 = torch.linear(v52, w[36], None)
    v53_gate, v53_up = torch.chunk(v53, 2, -1)
    v54 = torch.gelu(v53_gate, approximate="tanh") * v53_up
    v55 = torch.linear(v54, w[37], None)
    v56 = torch.rms_norm(v55, [24], w[38], 1.0E-5)
    v57 = v51 + v56
    v58 = torch.narrow(v4, -1, 6, 3)
    v59 = torch.linear(v57, w[39], None)
    v60 = torch.gelu(v59, approximate="tanh")
    v61 = v60 * v58
    v62 = torch.linear(v61, w[40], None)
    v63 = torch.rms_norm(v62, [24], w[41], 2.0E-5)
    v64 = v57 + v63
    v65 = v64 * w[42].view([1, 1])
    v66 = torch.rms_norm(v65, [24], w[43], 1.0E-5)
    v67 = torch.linear(v66, w[44], None)
    v68 = self.normed_heads(v67, w[45], 1.0E-5, c, 1)
    v69 = self.attended(v68, v26_k, v26_v, c, 1, False, 1.0, 0.0, 0, mask, True)
    v70 = torch.linear(v69, w[46], None)
    v71 = self.answered(v65, c)
    v72 = torch.rms_norm(v70, [24], w[47], 1.0E-5)
    v73 = v71 + v72
    v74 = torch.rms_norm(v73, [24], w[48], 1.0E-5)
    v75 = torch.linear(v74, w[49], None)
    v75_gate, v75_up = torch.chunk(v75, 2, -1)
    v76 = torch.gelu(v75_gate, approximate="tanh") * v75_up
    v77 = torch.linear(v76, w[50], None)
    v78 = torch.rms_norm(v77, [24], w[51], 1.0E-5)
    v79 = v73 + v78
    v80 = torch.narrow(v4, -1, 9, 3)
    v81 = self.answered(v80, c)
    v82 = torch.linear(v79, w[52], None)
    v83 = torch.gelu(v82, approximate="tanh")
    v84 = v83 * v81
    v85 = torch.linear(v84, w[53], None)
    v86 = torch.rms_norm(v85, [24], w[54], 2.0E-5)
    v87 = v79 + v86
    v88 = v87 * w[55].view([1, 1])
    v89 = torch.rms_norm(v88, [24], w[56], 1.0E-5)
    v90 = torch.linear(v89, w[0], None)
    v91 = self.capped(v90, 6.0)
    return v91

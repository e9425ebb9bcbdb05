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
    v27 = self.attended(v26_q, v26_k, v26_v, c, 1, True, 1.0, 0.0, 0, mask, True)
    v28 = torch.linear(v27, w[20], None)
    v29 = self.answered(v24, c)
    v30 = torch.rms_norm(v28, [24], w[21], 1.0E-5)
    v31 = v29 + v30
    v32 = torch.rms_norm(v31, [24], w[22], 1.0E-5)
    v33 = torch.linear(v32, w[23], None)
    v33_gate, v33_up = torch.chunk(v33, 2, -1)
    v34 = torch.gelu(v33_gate, approximate="tanh") * v33_up
    v35 = torch.linear(v34, w[24], None)
    v36 = torch.rms_norm(v35, [24], w[25], 1.0E-5)
    v37 = v31 + v36
    v38 = self.answered(v4, c)
    v39 = torch.narrow(v38, -1, 3, 3)
    v40 = torch.linear(v37, w[26], None)
    v41 = torch.gelu(v40, approximate="tanh")
    v42 = v41 * v39
    v43 = torch.linear(v42, w[27], None)
    v44 = torch.rms_norm(v43, [24], w[28], 2.0E-5)
    v45 = v37 + v44
    v46 = v45 * w[29].view([1, 1])
    v47 = torch.rms_norm(v46, [24], w[30], 1.0E-5)
    v48 = torch.linear(v47, w[31], None)
    v49 = self.normed_queries(v48, w[32], 1.0E-5, c, 0)
    v50 = self.attended(v49, v6_k, v6_v, c, 0, False, 1.0, 0.0, 4, open_mask4, False)
    v51 = torch.linear(v50, w[33], None)
    v52 = torch.rms_norm(v51, [24], w[34], 1.0E-5)
    v53 = v46 + v52
    v54 = torch.rms_norm(v53, [24], w[35], 1.0E-5)
    v55 = torch.linear(v54, w[36], None)
    v55_gate, v55_up = torch.chunk(v55, 2, -1)
    v56 = torch.gelu(v55_gate, approximate="tanh") * v55_up
    v57 = torch.linear(v56, w[37], None)
    v58 = torch.rms_norm(v57, [24], w[38], 1.0E-5)
    v59 = v53 + v58
    v60 = torch.narrow(v38, -1, 6, 3)
    v61 = torch.linear(v59, w[39], None)
    v62 = torch.gelu(v61, approximate="tanh")
    v63 = v62 * v60
    v64 = torch.linear(v63, w[40], None)
    v65 = torch.rms_norm(v64, [24], w[41], 2.0E-5)
    v66 = v59 + v65
    v67 = v66 * w[42].view([1, 1])
    v68 = torch.rms_norm(v67, [24], w[43], 1.0E-5)
    v69 = torch.linear(v68, w[44], None)
    v70 = self.normed_queries(v69, w[45], 1.0E-5, c, 1)
    v71 = self.attended(v70, v26_k, v26_v, c, 1, False, 1.0, 0.0, 0, mask, False)
    v72 = torch.linear(v71, w[46], None)
    v73 = torch.rms_norm(v72, [24], w[47], 1.0E-5)
    v74 = v67 + v73
    v75 = torch.rms_norm(v74, [24], w[48], 1.0E-5)
    v76 = torch.linear(v75, w[49], None)
    v76_gate, v76_up = torch.chunk(v76, 2, -1)
    v77 = torch.gelu(v76_gate, approximate="tanh") * v76_up
    v78 = torch.linear(v77, w[50], None)
    v79 = torch.rms_norm(v78, [24], w[51], 1.0E-5)
    v80 = v74 + v79
    v81 = torch.narrow(v38, -1, 9, 3)
    v82 = torch.linear(v80, w[52], None)
    v83 = torch.gelu(v82, approximate="tanh")
    v84 = v83 * v81
    v85 = torch.linear(v84, w[53], None)
    v86 = torch.rms_norm(v85, [24], w[54], 2.0E-5)
    v87 = v80 + v86
    v88 = v87 * w[55].view([1, 1])
    v89 = torch.rms_norm(v88, [24], w[56], 1.0E-5)
    v90 = torch.linear(v89, w[0], None)
    v91 = self.capped(v90, 6.0)
    return v91

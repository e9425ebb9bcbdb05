# vision encoder
# w[0]: patch_embed.proj.weight
# w[1]: blocks.0.norm1.weight
# w[2]: blocks.0.attn.qkv.weight
# w[3]: blocks.0.attn.qkv.bias
# w[4]: blocks.0.attn.proj.weight
# w[5]: blocks.0.attn.proj.bias
# w[6]: blocks.0.norm2.weight
# w[7]: blocks.0.mlp.gate_proj.weight | blocks.0.mlp.up_proj.weight
# w[8]: blocks.0.mlp.gate_proj.bias | blocks.0.mlp.up_proj.bias
# w[9]: blocks.0.mlp.down_proj.weight
# w[10]: blocks.0.mlp.down_proj.bias
# w[11]: blocks.1.norm1.weight
# w[12]: blocks.1.attn.qkv.weight
# w[13]: blocks.1.attn.qkv.bias
# w[14]: blocks.1.attn.proj.weight
# w[15]: blocks.1.attn.proj.bias
# w[16]: blocks.1.norm2.weight
# w[17]: blocks.1.mlp.gate_proj.weight | blocks.1.mlp.up_proj.weight
# w[18]: blocks.1.mlp.gate_proj.bias | blocks.1.mlp.up_proj.bias
# w[19]: blocks.1.mlp.down_proj.weight
# w[20]: blocks.1.mlp.down_proj.bias

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.linear(x, w[0], None)
    v1 = c.inputs[0].to(w[0].device).to(w[0].dtype)
    v2 = c.inputs[1].to(w[0].device).to(w[0].dtype)
    v3 = torch.squeeze(c.inputs[2].to(w[0].device).to(4), -1)
    v4 = torch.squeeze(c.inputs[3].to(w[0].device).to(4), -1)
    v5 = c.inputs[4].to(w[0].device).to(w[0].dtype)
    v6 = torch.rms_norm(v0, [16], w[1], 1.0E-6)
    v7 = torch.linear(v6, w[2], w[3])
    v8 = torch.narrow(v7, -1, 0, 16)
    v9 = self.rotated(v8, v1, v2)
    v10 = torch.narrow(v7, -1, 16, 16)
    v11 = self.rotated(v10, v1, v2)
    v12 = torch.narrow(v7, -1, 32, 16)
    v13 = torch.index_select(v9, 0, v3)
    v14 = torch.index_select(v11, 0, v3)
    v15 = torch.index_select(v12, 0, v3)
    v16 = self.window_heads(v13, v14, v15, 2, v5)
    v17 = torch.index_select(v16, 0, v4)
    v18 = torch.linear(v17, w[4], w[5])
    v19 = v0 + v18
    v20 = torch.rms_norm(v19, [16], w[6], 1.0E-6)
    v21 = torch.linear(v20, w[7], w[8])
    v21_gate, v21_up = torch.chunk(v21, 2, -1)
    v22 = torch.silu(v21_gate) * v21_up
    v23 = torch.linear(v22, w[9], w[10])
    v24 = v19 + v23
    v25 = torch.rms_norm(v24, [16], w[11], 1.0E-6)
    v26 = torch.linear(v25, w[12], w[13])
    v27 = torch.narrow(v26, -1, 0, 16)
    v28 = self.rotated(v27, v1, v2)
    v29 = torch.narrow(v26, -1, 16, 16)
    v30 = self.rotated(v29, v1, v2)
    v31 = torch.narrow(v26, -1, 32, 16)
    v32 = self.heads(v28, v30, v31, 2, 2, 0.35355339059327373)
    v33 = torch.linear(v32, w[14], w[15])
    v34 = v24 + v33
    v35 = torch.rms_norm(v34, [16], w[16], 1.0E-6)
    v36 = torch.linear(v35, w[17], w[18])
    v36_gate, v36_up = torch.chunk(v36, 2, -1)
    v37 = torch.silu(v36_gate) * v36_up
    v38 = torch.linear(v37, w[19], w[20])
    v39 = v34 + v38
    return v39

# vision encoder
# w[0]: patch_embed.proj.weight
# w[1]: patch_embed.proj.bias
# w[2]: pos_embed.weight
# w[3]: blocks.0.norm1.weight
# w[4]: blocks.0.norm1.bias
# w[5]: blocks.0.attn.qkv.weight
# w[6]: blocks.0.attn.qkv.bias
# w[7]: blocks.0.attn.proj.weight
# w[8]: blocks.0.attn.proj.bias
# w[9]: blocks.0.norm2.weight
# w[10]: blocks.0.norm2.bias
# w[11]: blocks.0.mlp.fc1.weight
# w[12]: blocks.0.mlp.fc1.bias
# w[13]: blocks.0.mlp.fc2.weight
# w[14]: blocks.0.mlp.fc2.bias
# w[15]: blocks.1.norm1.weight
# w[16]: blocks.1.norm1.bias
# w[17]: blocks.1.attn.qkv.weight
# w[18]: blocks.1.attn.qkv.bias
# w[19]: blocks.1.attn.proj.weight
# w[20]: blocks.1.attn.proj.bias
# w[21]: blocks.1.norm2.weight
# w[22]: blocks.1.norm2.bias
# w[23]: blocks.1.mlp.fc1.weight
# w[24]: blocks.1.mlp.fc1.bias
# w[25]: blocks.1.mlp.fc2.weight
# w[26]: blocks.1.mlp.fc2.bias

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.linear(x, w[0], w[1])
    v1 = c.inputs[0].to(w[0].device).to(w[0].dtype)
    v2 = torch.squeeze(c.inputs[1].to(w[0].device).to(4), -1)
    v3 = torch.index_select(w[2], 0, v2)
    v4 = torch.narrow(v1, -1, 0, 1)
    v5 = v3 * v4
    v6 = torch.squeeze(c.inputs[2].to(w[0].device).to(4), -1)
    v7 = torch.index_select(w[2], 0, v6)
    v8 = torch.narrow(v1, -1, 1, 1)
    v9 = v7 * v8
    v10 = v5 + v9
    v11 = torch.squeeze(c.inputs[3].to(w[0].device).to(4), -1)
    v12 = torch.index_select(w[2], 0, v11)
    v13 = torch.narrow(v1, -1, 2, 1)
    v14 = v12 * v13
    v15 = v10 + v14
    v16 = torch.squeeze(c.inputs[4].to(w[0].device).to(4), -1)
    v17 = torch.index_select(w[2], 0, v16)
    v18 = torch.narrow(v1, -1, 3, 1)
    v19 = v17 * v18
    v20 = v15 + v19
    v21 = v0 + v20
    v22 = c.inputs[5].to(w[0].device).to(w[0].dtype)
    v23 = c.inputs[6].to(w[0].device).to(w[0].dtype)
    v24 = torch.layer_norm(v21, [16], w[3], w[4], 1.0E-6)
    v25 = torch.linear(v24, w[5], w[6])
    v26 = torch.narrow(v25, -1, 0, 16)
    v27 = self.rotated(v26, v22, v23)
    v28 = torch.narrow(v25, -1, 16, 16)
    v29 = self.rotated(v28, v22, v23)
    v30 = torch.narrow(v25, -1, 32, 16)
    v31 = self.heads(v27, v29, v30, 2, 2, 0.35355339059327373)
    v32 = torch.linear(v31, w[7], w[8])
    v33 = v21 + v32
    v34 = torch.layer_norm(v33, [16], w[9], w[10], 1.0E-6)
    v35 = torch.linear(v34, w[11], w[12])
    v36 = self.quick_gelu(v35)
    v37 = torch.linear(v36, w[13], w[14])
    v38 = v33 + v37
    v39 = torch.layer_norm(v38, [16], w[15], w[16], 1.0E-6)
    v40 = torch.linear(v39, w[17], w[18])
    v41 = torch.narrow(v40, -1, 0, 16)
    v42 = self.rotated(v41, v22, v23)
    v43 = torch.narrow(v40, -1, 16, 16)
    v44 = self.rotated(v43, v22, v23)
    v45 = torch.narrow(v40, -1, 32, 16)
    v46 = self.heads(v42, v44, v45, 2, 2, 0.35355339059327373)
    v47 = torch.linear(v46, w[19], w[20])
    v48 = v38 + v47
    v49 = torch.layer_norm(v48, [16], w[21], w[22], 1.0E-6)
    v50 = torch.linear(v49, w[23], w[24])
    v51 = self.quick_gelu(v50)
    v52 = torch.linear(v51, w[25], w[26])
    v53 = v48 + v52
    v54 = torch.cat([v53, v38], -1)
    return v54

# vision encoder
# w[0]: patch_embed.proj.weight
# w[1]: blocks.0.norm1.weight
# w[2]: blocks.0.norm1.bias
# w[3]: blocks.0.attn.qkv.weight
# w[4]: blocks.0.attn.qkv.bias
# w[5]: blocks.0.attn.proj.weight
# w[6]: blocks.0.attn.proj.bias
# w[7]: blocks.0.norm2.weight
# w[8]: blocks.0.norm2.bias
# w[9]: blocks.0.mlp.fc1.weight
# w[10]: blocks.0.mlp.fc1.bias
# w[11]: blocks.0.mlp.fc2.weight
# w[12]: blocks.0.mlp.fc2.bias
# w[13]: blocks.1.norm1.weight
# w[14]: blocks.1.norm1.bias
# w[15]: blocks.1.attn.qkv.weight
# w[16]: blocks.1.attn.qkv.bias
# w[17]: blocks.1.attn.proj.weight
# w[18]: blocks.1.attn.proj.bias
# w[19]: blocks.1.norm2.weight
# w[20]: blocks.1.norm2.bias
# w[21]: blocks.1.mlp.fc1.weight
# w[22]: blocks.1.mlp.fc1.bias
# w[23]: blocks.1.mlp.fc2.weight
# w[24]: blocks.1.mlp.fc2.bias

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.linear(x, w[0], None)
    v1 = c.inputs[0].to(w[0].device).to(w[0].dtype)
    v2 = c.inputs[1].to(w[0].device).to(w[0].dtype)
    v3 = torch.layer_norm(v0, [16], w[1], w[2], 1.0E-6)
    v4 = torch.linear(v3, w[3], w[4])
    v5 = torch.narrow(v4, -1, 0, 16)
    v6 = self.rotated(v5, v1, v2)
    v7 = torch.narrow(v4, -1, 16, 16)
    v8 = self.rotated(v7, v1, v2)
    v9 = torch.narrow(v4, -1, 32, 16)
    v10 = self.heads(v6, v8, v9, 2, 2, 0.35355339059327373)
    v11 = torch.linear(v10, w[5], w[6])
    v12 = v0 + v11
    v13 = torch.layer_norm(v12, [16], w[7], w[8], 1.0E-6)
    v14 = torch.linear(v13, w[9], w[10])
    v15 = self.quick_gelu(v14)
    v16 = torch.linear(v15, w[11], w[12])
    v17 = v12 + v16
    v18 = torch.layer_norm(v17, [16], w[13], w[14], 1.0E-6)
    v19 = torch.linear(v18, w[15], w[16])
    v20 = torch.narrow(v19, -1, 0, 16)
    v21 = self.rotated(v20, v1, v2)
    v22 = torch.narrow(v19, -1, 16, 16)
    v23 = self.rotated(v22, v1, v2)
    v24 = torch.narrow(v19, -1, 32, 16)
    v25 = self.heads(v21, v23, v24, 2, 2, 0.35355339059327373)
    v26 = torch.linear(v25, w[17], w[18])
    v27 = v17 + v26
    v28 = torch.layer_norm(v27, [16], w[19], w[20], 1.0E-6)
    v29 = torch.linear(v28, w[21], w[22])
    v30 = self.quick_gelu(v29)
    v31 = torch.linear(v30, w[23], w[24])
    v32 = v27 + v31
    return v32

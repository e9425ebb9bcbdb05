# vision encoder
# w[0]: embeddings.patch_embedding.weight
# w[1]: embeddings.patch_embedding.bias
# w[2]: embeddings.position_embedding.weight
# w[3]: encoder.layers.0.layer_norm1.weight
# w[4]: encoder.layers.0.layer_norm1.bias
# w[5]: encoder.layers.0.self_attn.q_proj.weight | encoder.layers.0.self_attn.k_proj.weight | encoder.layers.0.self_attn.v_proj.weight
# w[6]: encoder.layers.0.self_attn.q_proj.bias | encoder.layers.0.self_attn.k_proj.bias | encoder.layers.0.self_attn.v_proj.bias
# w[7]: encoder.layers.0.self_attn.out_proj.weight
# w[8]: encoder.layers.0.self_attn.out_proj.bias
# w[9]: encoder.layers.0.layer_norm2.weight
# w[10]: encoder.layers.0.layer_norm2.bias
# w[11]: encoder.layers.0.mlp.fc1.weight
# w[12]: encoder.layers.0.mlp.fc1.bias
# w[13]: encoder.layers.0.mlp.fc2.weight
# w[14]: encoder.layers.0.mlp.fc2.bias
# w[15]: encoder.layers.1.layer_norm1.weight
# w[16]: encoder.layers.1.layer_norm1.bias
# w[17]: encoder.layers.1.self_attn.q_proj.weight | encoder.layers.1.self_attn.k_proj.weight | encoder.layers.1.self_attn.v_proj.weight
# w[18]: encoder.layers.1.self_attn.q_proj.bias | encoder.layers.1.self_attn.k_proj.bias | encoder.layers.1.self_attn.v_proj.bias
# w[19]: encoder.layers.1.self_attn.out_proj.weight
# w[20]: encoder.layers.1.self_attn.out_proj.bias
# w[21]: encoder.layers.1.layer_norm2.weight
# w[22]: encoder.layers.1.layer_norm2.bias
# w[23]: encoder.layers.1.mlp.fc1.weight
# w[24]: encoder.layers.1.mlp.fc1.bias
# w[25]: encoder.layers.1.mlp.fc2.weight
# w[26]: encoder.layers.1.mlp.fc2.bias

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = self.patches(x, w[0], w[1])
    v1 = v0 + w[2]
    v2 = torch.layer_norm(v1, [16], w[3], w[4], 1.0E-5)
    v3 = torch.linear(v2, w[5], w[6])
    v4 = self.open_attention(v3, 2, 2)
    v5 = torch.linear(v4, w[7], w[8])
    v6 = v1 + v5
    v7 = torch.layer_norm(v6, [16], w[9], w[10], 1.0E-5)
    v8 = torch.linear(v7, w[11], w[12])
    v9 = torch.gelu(v8, approximate="tanh")
    v10 = torch.linear(v9, w[13], w[14])
    v11 = v6 + v10
    v12 = torch.layer_norm(v11, [16], w[15], w[16], 1.0E-5)
    v13 = torch.linear(v12, w[17], w[18])
    v14 = self.open_attention(v13, 2, 2)
    v15 = torch.linear(v14, w[19], w[20])
    v16 = v11 + v15
    v17 = torch.layer_norm(v16, [16], w[21], w[22], 1.0E-5)
    v18 = torch.linear(v17, w[23], w[24])
    v19 = torch.gelu(v18, approximate="tanh")
    v20 = torch.linear(v19, w[25], w[26])
    v21 = v16 + v20
    return v21

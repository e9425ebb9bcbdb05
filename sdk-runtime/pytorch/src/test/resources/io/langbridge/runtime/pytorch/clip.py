# vision encoder
# w[0]: embeddings.patch_embedding.weight
# w[1]: embeddings.class_embedding
# w[2]: embeddings.position_embedding.weight
# w[3]: pre_layrnorm.weight
# w[4]: pre_layrnorm.bias
# w[5]: encoder.layers.0.layer_norm1.weight
# w[6]: encoder.layers.0.layer_norm1.bias
# w[7]: encoder.layers.0.self_attn.q_proj.weight | encoder.layers.0.self_attn.k_proj.weight | encoder.layers.0.self_attn.v_proj.weight
# w[8]: encoder.layers.0.self_attn.q_proj.bias | encoder.layers.0.self_attn.k_proj.bias | encoder.layers.0.self_attn.v_proj.bias
# w[9]: encoder.layers.0.self_attn.out_proj.weight
# w[10]: encoder.layers.0.self_attn.out_proj.bias
# w[11]: encoder.layers.0.layer_norm2.weight
# w[12]: encoder.layers.0.layer_norm2.bias
# w[13]: encoder.layers.0.mlp.fc1.weight
# w[14]: encoder.layers.0.mlp.fc1.bias
# w[15]: encoder.layers.0.mlp.fc2.weight
# w[16]: encoder.layers.0.mlp.fc2.bias
# w[17]: encoder.layers.1.layer_norm1.weight
# w[18]: encoder.layers.1.layer_norm1.bias
# w[19]: encoder.layers.1.self_attn.q_proj.weight | encoder.layers.1.self_attn.k_proj.weight | encoder.layers.1.self_attn.v_proj.weight
# w[20]: encoder.layers.1.self_attn.q_proj.bias | encoder.layers.1.self_attn.k_proj.bias | encoder.layers.1.self_attn.v_proj.bias
# w[21]: encoder.layers.1.self_attn.out_proj.weight
# w[22]: encoder.layers.1.self_attn.out_proj.bias
# w[23]: encoder.layers.1.layer_norm2.weight
# w[24]: encoder.layers.1.layer_norm2.bias
# w[25]: encoder.layers.1.mlp.fc1.weight
# w[26]: encoder.layers.1.mlp.fc1.bias
# w[27]: encoder.layers.1.mlp.fc2.weight
# w[28]: encoder.layers.1.mlp.fc2.bias

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = self.patches(x, w[0], None)
    v1 = self.under(w[1].view([1, 16]), v0)
    v2 = v1 + w[2]
    v3 = torch.layer_norm(v2, [16], w[3], w[4], 1.0E-5)
    v4 = torch.layer_norm(v3, [16], w[5], w[6], 1.0E-5)
    v5 = torch.linear(v4, w[7], w[8])
    v6 = self.open_attention(v5, 2, 2)
    v7 = torch.linear(v6, w[9], w[10])
    v8 = v3 + v7
    v9 = torch.layer_norm(v8, [16], w[11], w[12], 1.0E-5)
    v10 = torch.linear(v9, w[13], w[14])
    v11 = self.quick_gelu(v10)
    v12 = torch.linear(v11, w[15], w[16])
    v13 = v8 + v12
    v14 = torch.layer_norm(v13, [16], w[17], w[18], 1.0E-5)
    v15 = torch.linear(v14, w[19], w[20])
    v16 = self.open_attention(v15, 2, 2)
    v17 = torch.linear(v16, w[21], w[22])
    v18 = v13 + v17
    v19 = torch.layer_norm(v18, [16], w[23], w[24], 1.0E-5)
    v20 = torch.linear(v19, w[25], w[26])
    v21 = self.quick_gelu(v20)
    v22 = torch.linear(v21, w[27], w[28])
    v23 = v18 + v22
    v24 = torch.narrow(v23, -2, 1, 4)
    return v24

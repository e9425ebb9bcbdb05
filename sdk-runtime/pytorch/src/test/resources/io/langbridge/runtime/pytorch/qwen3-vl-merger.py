# merger adapter
# w[0]: merger.norm.weight
# w[1]: merger.norm.bias
# w[2]: merger.linear_fc1.weight
# w[3]: merger.linear_fc1.bias
# w[4]: merger.linear_fc2.weight
# w[5]: merger.linear_fc2.bias
# w[6]: deepstack_merger_list.0.norm.weight
# w[7]: deepstack_merger_list.0.norm.bias
# w[8]: deepstack_merger_list.0.linear_fc1.weight
# w[9]: deepstack_merger_list.0.linear_fc1.bias
# w[10]: deepstack_merger_list.0.linear_fc2.weight
# w[11]: deepstack_merger_list.0.linear_fc2.bias

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.narrow(x, -1, 0, 16)
    v1 = torch.layer_norm(v0, [16], w[0], w[1], 1.0E-6)
    v2 = self.joined(v1, 4)
    v3 = torch.linear(v2, w[2], w[3])
    v4 = torch.gelu(v3)
    v5 = torch.linear(v4, w[4], w[5])
    v6 = torch.narrow(x, -1, 16, 16)
    v7 = self.joined(v6, 4)
    v8 = torch.layer_norm(v7, [64], w[6], w[7], 1.0E-6)
    v9 = torch.linear(v8, w[8], w[9])
    v10 = torch.gelu(v9)
    v11 = torch.linear(v10, w[10], w[11])
    v12 = torch.cat([v5, v11], -1)
    return v12

# average pool adapter
# w[0]: vision_tower.std_bias
# w[1]: vision_tower.std_scale
# w[2]: embed_vision.embedding_projection.weight

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = self.averaged(x, 9)
    v1 = v0 * 4.0
    v2 = w[0].view([1, 16]) * -1.0
    v3 = v1 + v2
    v4 = v3 * w[1].view([1, 16])
    v5 = self.norm_each(v4, 16, None, 1.0E-5)
    v6 = torch.linear(v5, w[2], None)
    return v6

# mm_vocab adapter
# w[0]: 0.weight
# w[1]: 0.bias
# w[2]: 2.weight
# w[3]: 2.bias
# w[4]: 3.weight (PARTS)
# w[5]: 3.bias (PARTS)
# w[6]: vocabulary_matrix

  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:
    x = x.to(w[0].device, w[0].dtype)
    v0 = torch.linear(x, w[0], w[1])
    v1 = torch.gelu(v0)
    v2 = torch.linear(v1, w[2], w[3])
    v3 = self.words_of_softmax(v2, w[4], w[5], w[6])
    return v3

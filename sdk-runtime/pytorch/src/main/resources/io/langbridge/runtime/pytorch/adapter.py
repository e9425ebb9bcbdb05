# Adapters: patch features [patches, mm_hidden] become visual tokens [patches, llm_hidden]. Annotations are needed: this
# is TorchScript.


# Linear, GELU (erf), Linear, Linear: one coefficient per shared token; the tensors may be in another type and place
# than the computation, mapped from a file.
class Projector(NamedTuple):
  w0 : Tensor  # [mlp_hidden, mm_hidden]
  b0 : Tensor
  w2 : Tensor  # [mlp_hidden, mlp_hidden]
  b2 : Tensor
  w3 : Tensor  # [mm_vocab, mlp_hidden]
  b3 : Tensor


class Adapter(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # ---- Loading

  def projector(self, w: Dict[str, Tensor]) -> __torch__.Projector:
    return __torch__.Projector(w["0.weight"], w["0.bias"], w["2.weight"], w["2.bias"], w["3.weight"], w["3.bias"])

  # A part of the vocabulary with its embeddings, and so many tokens of it that a part of w3 stays small.
  def part(self, x: Tensor, start: int, like: Tensor) -> Tensor:
    return torch.narrow(x, 0, start, min(8192, x.size(0) - start)).to(like.device, like.dtype)

  # ---- The networks

  # [patches, mlp_hidden], what the last layer sees
  def latent(self, projector: __torch__.Projector, features: Tensor, like: Tensor) -> Tensor:
    device = like.device
    dtype = like.dtype
    x = features.to(device, dtype)
    x = torch.gelu(torch.linear(x, projector.w0.to(device, dtype), projector.b0.to(device, dtype)))
    return torch.linear(x, projector.w2.to(device, dtype), projector.b2.to(device, dtype))

  # visual tokens = softmax(latent W3 + b3) E, part by part of the vocabulary: [patches, mm_vocab] is never there as a
  # whole. Each part is scaled by the largest coefficient so far, and rescaled when a larger one turns up.
  def run_softmax(self, projector: __torch__.Projector, vocabulary_matrix: Tensor, features: Tensor) -> Tensor:
    e = vocabulary_matrix
    x = self.latent(projector, features, e)
    largest = torch.full([x.size(0), 1], -float("inf"), dtype=6, device=e.device)
    total = torch.zeros([x.size(0), 1], dtype=6, device=e.device)
    weighted = torch.zeros([x.size(0), e.size(1)], dtype=6, device=e.device)
    for start in range(0, e.size(0), 8192):
      part = torch.linear(x, self.part(projector.w3, start, e), self.part(projector.b3, start, e)).to(6)
      # Cancels out, so nothing is differentiated through it.
      now = torch.maximum(largest, torch.amax(part.detach(), [-1], True))
      scale = torch.exp(largest - now)
      exponentials = torch.exp(part - now)
      total = total * scale + torch.sum(exponentials, [-1], True)
      weighted = weighted * scale + torch.matmul(exponentials.to(e.dtype), self.part(e, start, e)).to(6)
      largest = now
    return weighted / total

  # mlpNx_gelu, and linear as the case of one layer. weights: [out, in] each; biases: as many or none
  def run_mlp(self, weights: List[Tensor], biases: List[Tensor], features: Tensor) -> Tensor:
    x = features.to(weights[0].device, weights[0].dtype)
    for i in range(len(weights)):
      if i > 0:
        x = torch.gelu(x)
      bias : Optional[Tensor] = None
      if len(biases) > 0:
        bias = biases[i]
      x = torch.linear(x, weights[i], bias)
    return x

  # ---- What is called. Results go into tensors of the caller, float32 on the CPU.

  # visual tokens = (latent W3 + b3) E as the authors compute it; a model runs it folded, as an MLP
  def unfolded(self, projector: __torch__.Projector, vocabulary_matrix: Tensor, features: Tensor,
      visual_tokens: Tensor) -> int:
    e = vocabulary_matrix
    x = self.latent(projector, features, e)
    weighted = torch.zeros([x.size(0), e.size(1)], dtype=6, device=e.device)
    for start in range(0, e.size(0), 8192):
      part = torch.linear(x, self.part(projector.w3, start, e), self.part(projector.b3, start, e))
      weighted = weighted + torch.matmul(part, self.part(e, start, e)).to(6)
    torch.copy_(visual_tokens, weighted)
    return x.size(0)

  def softmax(self, projector: __torch__.Projector, vocabulary_matrix: Tensor, features: Tensor,
      visual_tokens: Tensor) -> int:
    torch.copy_(visual_tokens, self.run_softmax(projector, vocabulary_matrix, features))
    return features.size(0)

  def mlp(self, weights: List[Tensor], biases: List[Tensor], features: Tensor, visual_tokens: Tensor) -> int:
    torch.copy_(visual_tokens, self.run_mlp(weights, biases, features))
    return features.size(0)

  # coefficients: [patches, mm_vocab], raw or through a softmax
  def coefficients(self, projector: __torch__.Projector, softmax: bool, features: Tensor, like: Tensor,
      coefficients: Tensor) -> int:
    x = self.latent(projector, features, like)
    for start in range(0, projector.w3.size(0), 8192):
      part = torch.linear(x, self.part(projector.w3, start, like), self.part(projector.b3, start, like))
      torch.copy_(torch.narrow(coefficients, 1, start, part.size(1)), part)
    if softmax:
      torch.copy_(coefficients, torch.softmax(coefficients, -1))
    return x.size(0)

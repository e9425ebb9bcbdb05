# Getting tensors in and out: here and not on the Java side, because there bfloat16 is not safe to touch.


class Weights(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # Maps a file without reading it, as a run of elements of one type.
  def map(self, path: str, elements: int, dtype: int) -> Tensor:
    return torch.from_file(path, False, elements, dtype=dtype)

  # A tensor that lies in a mapped file in row order; no copy.
  def part(self, file: Tensor, first: int, shape: List[int], strides: List[int]) -> Tensor:
    return torch.as_strided(file, shape, strides, first)

  # No copy if it is so already.
  def move(self, x: Tensor, device: str, dtype: int) -> Tensor:
    return torch.to(x, torch.device(device), dtype)

  def empty(self, shape: List[int], device: str, dtype: int) -> Tensor:
    return torch.empty(shape, dtype=dtype, device=torch.device(device))

  # values: [n], float32
  def fill(self, x: Tensor, first: int, values: Tensor) -> int:
    torch.copy_(torch.narrow(x.view([-1]), 0, first, values.size(0)), values)
    return first + values.size(0)

  # product = a b, each transposed if asked for; all three on the CPU, computed on the device
  def multiply(self, a: Tensor, transpose_a: bool, b: Tensor, transpose_b: bool, device: str, product: Tensor) -> int:
    x = torch.to(a, torch.device(device), 6)
    y = torch.to(b, torch.device(device), 6)
    if transpose_a:
      x = torch.t(x)
    if transpose_b:
      y = torch.t(y)
    torch.copy_(product, torch.matmul(x, y))
    return product.size(0)

# What a generated network calls where it is no straight line, see TorchNet: it follows these methods as one of the same
# class. x: [rows, width] of one input, or [.., rows, width] of several at once. Annotations are needed: this is
# TorchScript.


# What belongs to a run beside its first input; most of it only decoders need.
class Context(NamedTuple):
  # Those of the network behind the first, in the order of its text. Of a decoder maybe one, how many rows behind it
  # each row sees, [rows]
  inputs : List[Tensor]
  keys : List[Tensor]  # of each layer that keeps them, [kv_heads, capacity, head_dim], after rotation
  values : List[Tensor]
  # Of each layer of linear attention, float32: the last inputs of its convolution, [channels, rows], and what it has
  # summed up, [heads, key_dim, value_dim]
  windows : List[Tensor]
  matrices : List[Tensor]
  # For each way of rotating: of the positions of the rows, [rows, 1, head_dim]
  cos : List[Tensor]
  sin : List[Tensor]
  position : int  # of the first row
  # Where each row is a sequence of its own: which it is of those that are kept, in [sequences, ..] of the above then,
  # and its position. Empty: one sequence
  sequences : List[int]
  positions : List[int]
  # Rows of several sequences, one after the other, which do not see each other: nothing is kept, and no tensor is
  # written to, so that they can be differentiated. None: one sequence, which goes on behind what is kept.
  lengths : List[int]
  last : bool  # whether only the last row is answered
  answered : Optional[Tensor]  # the rows that are; None: all, or the last
  shown : List[Tensor]  # what is to be seen on the way is added here


class Network(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # ---- Weights

  # Tensors under each other, so that products with the same input become one: fewer and larger reads per token.
  # repeats: for each, how many rows are made of one; 0 leaves it as it is.
  def arrange(self, tensors: List[Tensor], repeats: List[int]) -> Tensor:
    parts : List[Tensor] = []
    for i in range(len(tensors)):
      if repeats[i] > 0:
        parts.append(tensors[i].expand([repeats[i], -1]))
      else:
        parts.append(tensors[i])
    if len(parts) == 1:
      arranged = parts[0]
    else:
      arranged = torch.cat(parts)
    return arranged

  # ---- Blocks

  # pixels: [.., 3, height, width]
  def patches(self, pixels: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
    x = torch.conv2d(pixels, weight, bias, [weight.size(2), weight.size(3)])  # [.., width, rows, columns]
    return torch.transpose(torch.flatten(x, -2), -2, -1)

  def quick_gelu(self, x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)

  def capped(self, x: Tensor, cap: float) -> Tensor:
    return torch.tanh(x / cap) * cap

  # Each run of width values of a row over its root mean square, times a weight of that width.
  def norm_each(self, x: Tensor, width: int, weight: Optional[Tensor], epsilon: float) -> Tensor:
    each = x.unflatten(-1, [x.size(-1) // width, width])
    return torch.flatten(torch.rms_norm(each, [width], weight, epsilon), -2)

  # Of every so many rows that follow each other, their mean.
  def averaged(self, x: Tensor, count: int) -> Tensor:
    return torch.mean(x.unflatten(-2, [x.size(-2) // count, count]), [-2])

  # Rows that are the same for all inputs, repeated for each.
  def repeated(self, x: Tensor, like: Tensor) -> Tensor:
    if x.dim() < like.dim():
      x = x.expand(like.size()[:-2] + x.size())
    return x

  def under(self, above: Tensor, below: Tensor) -> Tensor:
    return torch.cat([self.repeated(above, below), self.repeated(below, above)], -2)

  # [.., heads, rows, head_dim]
  def in_heads(self, x: Tensor, heads: int) -> Tensor:
    return torch.transpose(x.unflatten(-1, [heads, x.size(-1) // heads]), -3, -2)

  def heads(self, q: Tensor, k: Tensor, v: Tensor, heads: int, kv_heads: int, scale: float) -> Tensor:
    q = self.in_heads(self.repeated(q, k), heads)
    k = self.in_heads(k, kv_heads)
    v = self.in_heads(v, kv_heads)
    y = torch.scaled_dot_product_attention(q, k, v, None, 0., False, scale=scale, enable_gqa=heads != kv_heads)
    return torch.flatten(torch.transpose(y, -3, -2), -2)

  # Every row sees all others. qkv: queries, keys and values of each row side by side
  def open_attention(self, qkv: Tensor, heads: int, kv_heads: int) -> Tensor:
    head_dim = qkv.size(-1) // (heads + 2 * kv_heads)
    q, k, v = torch.split_with_sizes(qkv, [heads * head_dim, kv_heads * head_dim, kv_heads * head_dim], -1)
    return self.heads(q, k, v, heads, kv_heads, head_dim ** -0.5)

  # bias: [rows, rows of a window]
  def window_heads(self, q: Tensor, k: Tensor, v: Tensor, heads: int, bias: Tensor) -> Tensor:
    rows = bias.size(-1)
    mask = bias.view([-1, 1, rows, rows])
    q = self.in_heads(q.view([-1, rows, q.size(-1)]), heads)
    k = self.in_heads(k.view([-1, rows, k.size(-1)]), heads)
    v = self.in_heads(v.view([-1, rows, v.size(-1)]), heads)
    y = torch.scaled_dot_product_attention(q, k, v, mask, 0., False, scale=None, enable_gqa=False)
    return torch.transpose(y, 1, 2).reshape([bias.size(0), -1])

  def joined(self, x: Tensor, count: int) -> Tensor:
    return x.reshape(x.size()[:-2] + [-1, count * x.size(-1)])

  def pixel_shuffle(self, x: Tensor, factor: int) -> Tensor:
    side = int(x.size(-2) ** 0.5) // factor
    cells = x.view(x.size()[:-2] + [side, factor, side, factor, x.size(-1)])
    return torch.flatten(torch.flatten(torch.transpose(cells, -4, -3), -3), -3, -2)

  # Means of the cells of a square grid of rows.
  def pooled(self, x: Tensor, factor: int) -> Tensor:
    side = int(x.size(-2) ** 0.5) // factor
    cells = x.view(x.size()[:-2] + [side, factor, side, factor, x.size(-1)])
    return torch.flatten(torch.mean(cells, [-4, -2]), -3, -2)

  # A part of the vocabulary with its embeddings, and so many tokens of it that a part of the weights stays small. They
  # may be in another type and place than the computation, mapped from a file.
  def part(self, x: Tensor, start: int, like: Tensor) -> Tensor:
    return torch.narrow(x, 0, start, min(8192, x.size(0) - start)).to(like.device, like.dtype)

  # [.., rows, mm_vocab], float32
  def coefficients(self, x: Tensor, weight: Tensor, bias: Tensor, softmax: bool) -> Tensor:
    y = torch.empty(x.size()[:-1] + [weight.size(0)], dtype=6, device=x.device)
    for start in range(0, weight.size(0), 8192):
      part = torch.linear(x, self.part(weight, start, x), self.part(bias, start, x))
      torch.copy_(torch.narrow(y, -1, start, part.size(-1)), part)
    if softmax:
      y = torch.softmax(y, -1)
    return y

  # (x W + b) E, part by part of the vocabulary: the coefficients are never there as a whole. float32
  def words(self, x: Tensor, weight: Tensor, bias: Tensor, e: Tensor) -> Tensor:
    weighted = torch.zeros(x.size()[:-1] + [e.size(1)], dtype=6, device=e.device)
    for start in range(0, e.size(0), 8192):
      part = torch.linear(x, self.part(weight, start, e), self.part(bias, start, e))
      weighted = weighted + torch.matmul(part, self.part(e, start, e)).to(6)
    return weighted

  # softmax(x W + b) E in the same way. Each part is scaled by the largest coefficient so far, and rescaled when a larger
  # one turns up.
  def words_of_softmax(self, x: Tensor, weight: Tensor, bias: Tensor, e: Tensor) -> Tensor:
    rows = x.size()[:-1]
    largest = torch.full(rows + [1], -float("inf"), dtype=6, device=e.device)
    total = torch.zeros(rows + [1], dtype=6, device=e.device)
    weighted = torch.zeros(rows + [e.size(1)], dtype=6, device=e.device)
    for start in range(0, e.size(0), 8192):
      part = torch.linear(x, self.part(weight, start, e), self.part(bias, start, e)).to(6)
      # Cancels out, so nothing is differentiated through it.
      now = torch.maximum(largest, torch.amax(part.detach(), [-1], True))
      scale = torch.exp(largest - now)
      exponentials = torch.exp(part - now)
      total = total * scale + torch.sum(exponentials, [-1], True)
      weighted = weighted * scale + torch.matmul(exponentials.to(e.dtype), self.part(e, start, e)).to(6)
      largest = now
    return weighted / total

  # Zeros behind each row where a token of the table has nothing.
  def widened(self, x: Tensor, width: int) -> Tensor:
    return torch.constant_pad_nd(x, [0, width - x.size(-1)])

  # ---- Attention that goes on behind what was kept. One input at a time: [rows, width]

  # Element k pairs with k + width / 2, and those behind the width stay. x: [rows, heads, head_dim]; cos: [rows, 1, width]
  def rotate(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    width = cos.size(-1)
    turned = torch.narrow(x, -1, 0, width)
    first, second = torch.chunk(turned, 2, -1)
    y = torch.addcmul(turned * cos, torch.cat([torch.neg(second), first], -1), sin)
    if width < x.size(-1):
      y = torch.cat([y, torch.narrow(x, -1, width, x.size(-1) - width)], -1)
    return y

  # cos, sin: of the angles of each row, [rows, head_dim / 2]
  def rotated(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    heads = x.view([x.size(0), -1, 2 * cos.size(-1)])
    both_cos = torch.cat([cos, cos], -1).unsqueeze(1)
    both_sin = torch.cat([sin, sin], -1).unsqueeze(1)
    return self.rotate(heads, both_cos, both_sin).view([x.size(0), -1])

  # Which positions each of the new rows sees, [rows, total]; None if plain causal order says it all.
  # ahead: [rows], how many it sees behind itself
  def causal(self, position: int, rows: int, window: int, like: Tensor, ahead: Optional[Tensor]) -> Optional[Tensor]:
    total = position + rows
    narrow = window > 0 and window < total
    mask : Optional[Tensor] = None
    if rows > 1 and (position > 0 or narrow or ahead is not None):
      query = torch.arange(position, total, device=like.device).unsqueeze(1)
      key = torch.arange(total, device=like.device).unsqueeze(0)
      last = query
      if ahead is not None:
        last = query + ahead.unsqueeze(1)
      seen = torch.le(key, last)
      if narrow:
        seen = torch.logical_and(seen, torch.gt(key, query - window))
      mask = seen
    return mask

  # The same for all layers with this window; packed sequences have masks of their own. open: whether rows may see some
  # behind them
  def mask(self, x: Tensor, c: __torch__.Context, window: int, open: bool) -> Optional[Tensor]:
    mask : Optional[Tensor] = None
    if len(c.lengths) == 0 and len(c.sequences) == 0:
      ahead : Optional[Tensor] = None
      if open and len(c.inputs) > 0:
        ahead = c.inputs[0]
      mask = self.causal(c.position, x.size(0), window, x, ahead)
    return mask

  # x: [rows, ..]
  def answered(self, x: Tensor, c: __torch__.Context) -> Tensor:
    rows = c.answered
    if rows is not None:
      x = torch.index_select(x, 0, rows)
    elif c.last and x.size(0) > 1:
      x = torch.narrow(x, 0, x.size(0) - 1, 1)
    return x

  # q: [1, heads, rows, head_dim]; k, v: [1, kv_heads, total, head_dim]. cap: of the scores, 0 if there is none
  def scored(self, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], causal: bool, scale: float,
      cap: float) -> Tensor:
    if cap == 0.:
      y = torch.scaled_dot_product_attention(q, k, v, mask, 0., causal, scale=scale, enable_gqa=True)
    else:
      group = q.size(1) // k.size(1)
      scores = torch.matmul(q, torch.transpose(torch.repeat_interleave(k, group, 1), -2, -1))
      scores = self.capped(scores * scale, cap)
      if causal:
        mask = torch.ones([q.size(2), k.size(2)], dtype=11, device=q.device).tril()
      if mask is not None:
        scores = torch.masked_fill(scores, torch.logical_not(mask), -float("inf"))
      shares = torch.softmax(scores, -1, dtype=6).to(v.dtype)
      y = torch.matmul(shares, torch.repeat_interleave(v, group, 1))
    return y

  # qkvg: queries, keys and values of each row side by side, with queries and gates in turns
  def cached_gated_attention(self, qkvg: Tensor, norm: Optional[Tensor], epsilon: float, c: __torch__.Context,
      layer: int, of_queries: int, rotary: int, heads: int, kv_heads: int, scale: float, cap: float, window: int,
      mask: Optional[Tensor], answered: bool) -> Tensor:
    rows = qkvg.size(0)
    head_dim = qkvg.size(1) // (2 * heads + 2 * kv_heads)
    q, kv = torch.split_with_sizes(qkvg, [2 * heads * head_dim, 2 * kv_heads * head_dim], -1)
    q, gate = torch.chunk(q.view([rows, heads, 2 * head_dim]), 2, -1)
    gate = gate.reshape([rows, heads * head_dim])
    if answered:
      gate = self.answered(gate, c)
    qkv = torch.cat([q.reshape([rows, heads * head_dim]), kv], -1)
    y = self.cached_attention(qkv, norm, epsilon, c, layer, of_queries, rotary, heads, kv_heads, scale, cap, window, mask,
        answered)
    return y * torch.sigmoid(gate)

  # qkv: queries, keys and values of each row side by side; norm: [heads + kv_heads, head_dim]; layer: of those that keep
  # keys and values; rotary: which of the ways of rotating
  def cached_attention(self, qkv: Tensor, norm: Optional[Tensor], epsilon: float, c: __torch__.Context, layer: int,
      of_queries: int, rotary: int, heads: int, kv_heads: int, scale: float, cap: float, window: int,
      mask: Optional[Tensor], answered: bool) -> Tensor:
    rows = qkv.size(0)
    qkv = qkv.view([rows, heads + 2 * kv_heads, -1])
    head_dim = qkv.size(2)
    qk = torch.narrow(qkv, 1, 0, heads + kv_heads)
    if norm is not None:
      qk = torch.rms_norm(qk, [head_dim], None, epsilon) * norm
    if of_queries == rotary:
      qk = self.rotate(qk, c.cos[rotary], c.sin[rotary])
      q = torch.narrow(qk, 1, 0, heads)
      k = torch.narrow(qk, 1, heads, kv_heads)
    else:
      q = self.rotate(torch.narrow(qk, 1, 0, heads), c.cos[of_queries], c.sin[of_queries])
      k = self.rotate(torch.narrow(qk, 1, heads, kv_heads), c.cos[rotary], c.sin[rotary])
    v = torch.narrow(qkv, 1, heads + kv_heads, kv_heads)
    return self.attended(q, k, v, c, layer, True, scale, cap, window, mask, answered)

  # Queries and keys normed over all their heads together.
  def normed_together(self, qkv: Tensor, q_norm: Tensor, k_norm: Tensor, epsilon: float) -> Tensor:
    queries = q_norm.size(0)
    keys = k_norm.size(0)
    q, k, v = torch.split_with_sizes(qkv, [queries, keys, qkv.size(-1) - queries - keys], -1)
    q = torch.rms_norm(q, [queries], q_norm, epsilon)
    return torch.cat([q, torch.rms_norm(k, [keys], k_norm, epsilon), v], -1)

  # Queries of rows that are answered side by side, normed and rotated: [rows, heads, head_dim]. norm: [heads, head_dim]
  def normed_queries(self, x: Tensor, norm: Tensor, epsilon: float, c: __torch__.Context, rotary: int) -> Tensor:
    heads = x.view([x.size(0), norm.size(0), norm.size(1)])
    normed = torch.rms_norm(heads, [norm.size(1)], None, epsilon) * norm
    return self.rotate(normed, self.answered(c.cos[rotary], c), self.answered(c.sin[rotary], c))

  # Queries, keys and values; without values behind them, keys are values too before they have their weight. norm:
  # [heads + kv_heads, head_dim]
  def all_normed_heads(self, x: Tensor, norm: Tensor, epsilon: float, c: __torch__.Context, rotary: int,
      heads: int) -> Tuple[Tensor, Tensor, Tensor]:
    kv_heads = norm.size(0) - heads
    normed = torch.rms_norm(x.view([x.size(0), -1, norm.size(1)]), [norm.size(1)], None, epsilon)
    qk = self.rotate(torch.narrow(normed, 1, 0, heads + kv_heads) * norm, c.cos[rotary], c.sin[rotary])
    v = torch.narrow(normed, 1, normed.size(1) - kv_heads, kv_heads)
    return torch.narrow(qk, 1, 0, heads), torch.narrow(qk, 1, heads, kv_heads), v

  # q: [rows, heads, head_dim]; k, v: [rows, kv_heads, head_dim]; new: whether these are to be kept. Otherwise another
  # layer has done so, and q is of those of the rows that are answered
  def attended(self, q: Tensor, k: Tensor, v: Tensor, c: __torch__.Context, layer: int, new: bool, scale: float,
      cap: float, window: int, mask: Optional[Tensor], answered: bool) -> Tensor:
    rows = k.size(0)
    width = q.size(1) * q.size(2)
    if len(c.lengths) > 0 and new:
      y = self.packed_heads(q, k, v, c.lengths, scale, cap, window)
      if answered:
        y = self.answered(y, c)
    elif len(c.lengths) > 0:
      y = self.packed_answers(q, k, v, c, scale, cap, window)
    elif len(c.sequences) > 0:
      attended : List[Tensor] = []
      for i in range(rows):
        keys = torch.select(c.keys[layer], 0, c.sequences[i])
        values = torch.select(c.values[layer], 0, c.sequences[i])
        if new:
          self.keep(keys, values, torch.narrow(k, 0, i, 1), torch.narrow(v, 0, i, 1), c.positions[i])
        attended.append(
            self.row_heads(torch.narrow(q, 0, i, 1), keys, values, c.positions[i] + 1, scale, cap, window))
      y = torch.cat(attended)
    else:
      total = c.position + rows
      keys = c.keys[layer]
      values = c.values[layer]
      if new:
        self.keep(keys, values, k, v, c.position)
      if answered:
        q = self.answered(q, c)
      if q.size(0) == 1:
        y = self.row_heads(q, keys, values, total, scale, cap, window)
      else:
        all_keys = torch.narrow(keys, 1, 0, total).unsqueeze(0)
        all_values = torch.narrow(values, 1, 0, total).unsqueeze(0)
        queries = torch.transpose(q, 0, 1).unsqueeze(0)  # [1, heads, rows, head_dim]
        y = self.scored(queries, all_keys, all_values, mask, mask is None, scale, cap)
        y = torch.transpose(y, 1, 2).reshape([q.size(0), width])
    return y

  # Puts new rows, [rows, kv_heads, head_dim], behind those that are kept.
  def keep(self, keys: Tensor, values: Tensor, k: Tensor, v: Tensor, position: int) -> None:
    torch.copy_(torch.narrow(keys, 1, position, k.size(0)), torch.transpose(k, 0, 1))
    torch.copy_(torch.narrow(values, 1, position, v.size(0)), torch.transpose(v, 0, 1))

  # The last row, [1, heads, head_dim], over all that are kept. The heads of a group see the same keys: they are the rows
  # of one product.
  def row_heads(self, q: Tensor, keys: Tensor, values: Tensor, total: int, scale: float, cap: float,
      window: int) -> Tensor:
    first = 0
    if window > 0:
      first = max(0, total - window)
    seen_keys = torch.narrow(keys, 1, first, total - first).unsqueeze(0)
    seen_values = torch.narrow(values, 1, first, total - first).unsqueeze(0)
    kv_heads = keys.size(0)
    grouped = q.reshape([1, kv_heads, q.size(1) // kv_heads, q.size(2)])
    y = self.scored(grouped, seen_keys, seen_values, None, False, scale, cap)
    return y.reshape([1, -1])

  def packed_heads(self, q: Tensor, k: Tensor, v: Tensor, lengths: List[int], scale: float, cap: float,
      window: int) -> Tensor:
    attended : List[Tensor] = []
    first = 0
    for length in lengths:
      queries = torch.transpose(torch.narrow(q, 0, first, length), 0, 1).unsqueeze(0)  # [1, heads, length, head_dim]
      keys = torch.transpose(torch.narrow(k, 0, first, length), 0, 1).unsqueeze(0)
      values = torch.transpose(torch.narrow(v, 0, first, length), 0, 1).unsqueeze(0)
      mask = self.causal(0, length, window, q, None)
      y = self.scored(queries, keys, values, mask, mask is None, scale, cap)
      attended.append(torch.transpose(torch.squeeze(y, 0), 0, 1).reshape([length, -1]))
      first = first + length
    return torch.cat(attended)

  # The same of those of their rows alone that are answered.
  def packed_answers(self, q: Tensor, k: Tensor, v: Tensor, c: __torch__.Context, scale: float, cap: float,
      window: int) -> Tensor:
    row = torch.arange(k.size(0), device=q.device)
    sequence = torch.cat([torch.full([c.lengths[i]], i, device=q.device) for i in range(len(c.lengths))])
    answered = self.answered(row, c).unsqueeze(1)
    seen = torch.logical_and(torch.le(row, answered), torch.eq(sequence, self.answered(sequence, c).unsqueeze(1)))
    if window > 0:
      seen = torch.logical_and(seen, torch.gt(row, answered - window))
    heads : List[Tensor] = []
    for x in [q, k, v]:
      heads.append(torch.transpose(x, 0, 1).unsqueeze(0))
    y = self.scored(heads[0], heads[1], heads[2], seen, False, scale, cap)
    return torch.transpose(torch.squeeze(y, 0), 0, 1).reshape([q.size(0), -1])

  # ---- Linear attention

  # Over its length. x: [.., heads, key_dim], float32
  def length_one(self, x: Tensor) -> Tensor:
    return x * torch.rsqrt(torch.sum(x * x, [-1], True) + 1e-06)

  # The gated delta rule row after row. qkv: [sequences, rows, channels]; keep, write: [sequences, rows, heads], what
  # stays of the sum and how much of a row's value is written; float32. Gives [sequences, rows, heads, value_dim], the
  # window and the matrix behind the last row.
  def recurrent(self, qkv: Tensor, keep: Tensor, write: Tensor, kernel: Tensor, window: Tensor, matrix: Tensor,
      key_heads: int) -> Tuple[Tensor, Tensor, Tensor]:
    heads, key_dim, value_dim = matrix.size(1), matrix.size(2), matrix.size(3)
    sequences, rows, channels = qkv.size(0), qkv.size(1), qkv.size(2)
    seen = torch.cat([window, torch.transpose(qkv, 1, 2)], 2)
    x = torch.silu(torch.conv1d(seen, kernel, None, [1], [0], [1], channels))  # [sequences, channels, rows]
    width = key_heads * key_dim
    q, k, v = torch.split_with_sizes(torch.transpose(x, 1, 2), [width, width, heads * value_dim], -1)
    q = self.length_one(q.reshape([sequences, rows, key_heads, key_dim])) * key_dim ** -0.5
    k = self.length_one(k.reshape([sequences, rows, key_heads, key_dim]))
    v = v.reshape([sequences, rows, heads, value_dim])
    if heads != key_heads:
      q = torch.repeat_interleave(q, heads // key_heads, 2)
      k = torch.repeat_interleave(k, heads // key_heads, 2)
    q = q.unsqueeze(3)  # each a row to multiply a matrix with
    k = k.unsqueeze(3)
    v = v.unsqueeze(3)
    keep = keep.unsqueeze(3).unsqueeze(4)
    write = write.unsqueeze(3).unsqueeze(4)
    read : List[Tensor] = []
    for i in range(rows):
      key = torch.select(k, 1, i)
      matrix = matrix * torch.select(keep, 1, i)
      missing = torch.select(v, 1, i) - torch.matmul(key, matrix)
      matrix = matrix + torch.matmul(torch.transpose(key, -2, -1), missing * torch.select(write, 1, i))
      read.append(torch.squeeze(torch.matmul(torch.select(q, 1, i), matrix), 2))
    last = torch.narrow(seen, 2, rows, window.size(2))
    return torch.stack(read, 1), last, matrix

  # mixed: what in_proj_qkv, _z, _b and _a give, side by side; kernel: [channels, 1, rows]; layer: of those of linear
  # attention
  def delta_rule(self, mixed: Tensor, kernel: Tensor, a_log: Tensor, dt_bias: Tensor, norm: Tensor, epsilon: float,
      c: __torch__.Context, layer: int, key_heads: int, key_dim: int, heads: int, value_dim: int,
      answered: bool) -> Tensor:
    rows = mixed.size(0)
    kernel = kernel.to(6)
    channels = kernel.size(0)
    qkv, z, b, a = torch.split_with_sizes(mixed, [channels, heads * value_dim, heads, heads], -1)
    qkv = qkv.to(6)
    write = torch.sigmoid(b.to(6))
    keep = torch.exp(torch.neg(torch.exp(a_log.to(6)) * torch.softplus(a.to(6) + dt_bias.to(6))))
    if len(c.lengths) > 0:
      parts : List[Tensor] = []
      window = torch.zeros([1, channels, kernel.size(2) - 1], dtype=6, device=mixed.device)
      matrix = torch.zeros([1, heads, key_dim, value_dim], dtype=6, device=mixed.device)
      first = 0
      for length in c.lengths:
        part, _, _ = self.recurrent(
            torch.narrow(qkv, 0, first, length).unsqueeze(0), torch.narrow(keep, 0, first, length).unsqueeze(0),
            torch.narrow(write, 0, first, length).unsqueeze(0), kernel, window, matrix, key_heads)
        parts.append(torch.squeeze(part, 0))
        first = first + length
      y = torch.cat(parts)
    elif len(c.sequences) > 0:
      windows = torch.stack([torch.select(c.windows[layer], 0, i) for i in c.sequences])
      matrices = torch.stack([torch.select(c.matrices[layer], 0, i) for i in c.sequences])
      y, windows, matrices = self.recurrent(
          qkv.unsqueeze(1), keep.unsqueeze(1), write.unsqueeze(1), kernel, windows, matrices, key_heads)
      y = torch.squeeze(y, 1)
      for i in range(rows):
        torch.copy_(torch.select(c.windows[layer], 0, c.sequences[i]), torch.select(windows, 0, i))
        torch.copy_(torch.select(c.matrices[layer], 0, c.sequences[i]), torch.select(matrices, 0, i))
    else:
      y, window, matrix = self.recurrent(
          qkv.unsqueeze(0), keep.unsqueeze(0), write.unsqueeze(0), kernel, c.windows[layer].unsqueeze(0),
          c.matrices[layer].unsqueeze(0), key_heads)
      y = torch.squeeze(y, 0)
      torch.copy_(c.windows[layer], torch.squeeze(window, 0))
      torch.copy_(c.matrices[layer], torch.squeeze(matrix, 0))
    if answered:
      y = self.answered(y, c)
      z = self.answered(z, c)
    normed = torch.rms_norm(y, [value_dim], norm.to(6), epsilon).reshape(z.size())
    return (normed * torch.silu(z.to(6))).to(mixed.dtype)

  # ---- What is called. w: the weights in the order of the network's text

  # Of a network that is no decoder, and has one input.
  def nothing(self) -> __torch__.Context:
    inputs : List[Tensor] = []
    return self.given(inputs)

  def given(self, inputs: List[Tensor]) -> __torch__.Context:
    none : List[Tensor] = []
    one : List[int] = []
    shown : List[Tensor] = []
    return __torch__.Context(inputs, none, none, none, none, none, none, 0, one, one, one, False, None, shown)

  # Float32 on the CPU, in row order.
  def result(self, x: Tensor) -> Tensor:
    return x.to(torch.device("cpu"), 6).contiguous()

  # inputs: those behind the first
  def run(self, w: List[Tensor], x: Tensor, inputs: List[Tensor]) -> Tensor:
    return self.result(self.network(w, x, self.given(inputs)))

  def trace(self, w: List[Tensor], x: Tensor, inputs: List[Tensor]) -> List[Tensor]:
    c = self.given(inputs)
    y = self.network(w, x, c)
    return self.results(c.shown)

  def results(self, tensors: List[Tensor]) -> List[Tensor]:
    results : List[Tensor] = []
    for x in tensors:
      results.append(self.result(x))
    return results

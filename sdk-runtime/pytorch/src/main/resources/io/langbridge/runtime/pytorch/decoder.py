
  # ---- A decoder's session. These methods follow those of ops.py; w[0] is the table of embeddings.

  # What is kept of several sequences, empty: keys and values, windows and matrices, and the rotations of all positions.
  # Of each layer side by side: kv_heads and head_dim; channels and rows; heads, key_dim and value_dim. own: whether each
  # sequence has angles of its own, one behind the other; rotaries: see rotation
  def open(self, w: List[Tensor], of_keys: List[int], of_windows: List[int], of_matrices: List[int], sequences: int,
      capacity: int, own: bool, rotaries: List[Tensor]) -> __torch__.Context:
    keys : List[Tensor] = []
    values : List[Tensor] = []
    windows : List[Tensor] = []
    matrices : List[Tensor] = []
    none : List[int] = []
    inputs : List[Tensor] = []
    shown : List[Tensor] = []
    for i in range(0, len(of_keys), 2):
      shape = [sequences, of_keys[i], capacity, of_keys[i + 1]]
      keys.append(torch.empty(shape, dtype=w[0].dtype, device=w[0].device))
      values.append(torch.empty(shape, dtype=w[0].dtype, device=w[0].device))
    for i in range(0, len(of_windows), 2):
      windows.append(torch.zeros([sequences, of_windows[i], of_windows[i + 1]], dtype=6, device=w[0].device))
    for i in range(0, len(of_matrices), 3):
      shape = [sequences, of_matrices[i], of_matrices[i + 1], of_matrices[i + 2]]
      matrices.append(torch.zeros(shape, dtype=6, device=w[0].device))
    tables = 1
    if own:
      tables = sequences
    cos, sin = self.rotations(tables * capacity, rotaries, w[0])
    return __torch__.Context(
        inputs, keys, values, windows, matrices, cos, sin, 0, none, none, none, True, None, shown)

  # What is kept of one of them.
  def sequence(self, w: List[Tensor], caches: __torch__.Context, index: int) -> __torch__.Context:
    none : List[int] = []
    cos = caches.cos
    sin = caches.sin
    capacity = caches.keys[0].size(2)
    if cos[0].size(0) > capacity:
      cos = self.narrowed(cos, index * capacity, capacity)
      sin = self.narrowed(sin, index * capacity, capacity)
    return __torch__.Context(
        caches.inputs, self.each(caches.keys, index), self.each(caches.values, index),
        self.each(caches.windows, index), self.each(caches.matrices, index), cos, sin, 0, none, none, none, True, None,
        caches.shown)

  def each(self, tensors: List[Tensor], index: int) -> List[Tensor]:
    each : List[Tensor] = []
    for x in tensors:
      each.append(torch.select(x, 0, index))
    return each

  # A copy of what cannot be cut, of one sequence.
  def copied(self, w: List[Tensor], cache: __torch__.Context) -> List[Tensor]:
    copies : List[Tensor] = []
    for x in cache.windows + cache.matrices:
      copies.append(x.clone())
    return copies

  # Puts it back.
  def restore(self, w: List[Tensor], cache: __torch__.Context, copies: List[Tensor]) -> int:
    kept = cache.windows + cache.matrices
    for i in range(len(kept)):
      torch.copy_(kept[i], copies[i])
    return len(kept)

  # Copies of another sequence what is kept of positions first to end - 1, and all that cannot be cut.
  def take_over(self, w: List[Tensor], cache: __torch__.Context, other: __torch__.Context, first: int,
      end: int) -> int:
    kept = cache.windows + cache.matrices
    copied = other.windows + other.matrices
    for i in range(len(kept)):
      torch.copy_(kept[i], copied[i])
    growing = cache.keys + cache.values
    grown = other.keys + other.values
    for i in range(len(growing)):
      torch.copy_(torch.narrow(growing[i], 1, first, end - first), torch.narrow(grown[i], 1, first, end - first))
    return end

  # Begins a sequence anew.
  def clear(self, w: List[Tensor], cache: __torch__.Context) -> int:
    kept = cache.windows + cache.matrices
    for x in kept:
      torch.zero_(x)
    return len(kept)

  # Cosines and sines of the angles of the first positions, [positions, 1, head_dim] each. rotary: the angle per position
  # of each rotated pair, float32 as the reference's; then what they are multiplied with, how much that grows with the
  # logarithm of the position, and over how many positions
  def rotation(self, positions: int, rotary: Tensor, like: Tensor) -> Tuple[Tensor, Tensor]:
    pairs = rotary.size(0) - 3
    at = torch.arange(positions, dtype=6)
    angles = torch.outer(at, torch.narrow(rotary, 0, 0, pairs))
    angles = torch.cat([angles, angles], -1).unsqueeze(1)
    grown = torch.log(torch.floor(at / rotary[pairs + 2]) + 1) * rotary[pairs + 1] + 1
    factor = (grown * rotary[pairs]).unsqueeze(-1).unsqueeze(-1)
    cos = torch.cos(angles) * factor
    sin = torch.sin(angles) * factor
    return cos.to(like.device, like.dtype), sin.to(like.device, like.dtype)

  def rotations(self, positions: int, rotaries: List[Tensor],
      like: Tensor) -> Tuple[List[Tensor], List[Tensor]]:
    all_cos : List[Tensor] = []
    all_sin : List[Tensor] = []
    for rotary in rotaries:
      cos, sin = self.rotation(positions, rotary, like)
      all_cos.append(cos)
      all_sin.append(sin)
    return all_cos, all_sin

  # Some rows of each.
  def narrowed(self, tables: List[Tensor], first: int, rows: int) -> List[Tensor]:
    narrowed : List[Tensor] = []
    for table in tables:
      narrowed.append(torch.narrow(table, 0, first, rows))
    return narrowed

  def selected(self, tables: List[Tensor], rows: Tensor) -> List[Tensor]:
    selected : List[Tensor] = []
    for table in tables:
      selected.append(torch.index_select(table, 0, rows))
    return selected

  # Tokens as the network takes them, [tokens, input_width] without what only visual tokens have; scaled in the type of
  # the table, as the reference does. w[1]: the second table, if there is one, wherever it is
  def embedded(self, w: List[Tensor], ids: Tensor) -> Tensor:
    x = self.scaled(torch.embedding(w[0], ids.to(w[0].device)), self.embedding_scale())
    if self.second_scale() != 0.:
      x = self.beside(x, torch.embedding(w[1], ids.to(w[1].device)))
    return x

  def one_embedded(self, w: List[Tensor], token: int) -> Tensor:
    x = self.scaled(torch.narrow(w[0], 0, token, 1), self.embedding_scale())
    if self.second_scale() != 0.:
      x = self.beside(x, torch.narrow(w[1], 0, token, 1))
    return x

  def scaled(self, rows: Tensor, scale: float) -> Tensor:
    if scale != 1.:
      rows = rows * torch.full([1], scale, dtype=rows.dtype, device=rows.device)
    return rows

  def beside(self, x: Tensor, rows: Tensor) -> Tensor:
    return torch.cat([x, self.scaled(rows.to(x.device, x.dtype), self.second_scale())], -1)

  # Angles of a sequence's own, where positions have several axes: places [places, width / 2], the position that each
  # frequency of the only way of rotating has there.
  def place(self, w: List[Tensor], cache: __torch__.Context, first: int, places: Tensor,
      rotaries: List[Tensor]) -> int:
    pairs = places.size(1)
    angles = places.to(6) * torch.narrow(rotaries[0], 0, 0, pairs)
    angles = torch.cat([angles, angles], -1).unsqueeze(1)
    factor = rotaries[0][pairs]
    torch.copy_(torch.narrow(cache.cos[0], 0, first, places.size(0)), torch.cos(angles) * factor)
    torch.copy_(torch.narrow(cache.sin[0], 0, first, places.size(0)), torch.sin(angles) * factor)
    return first + places.size(0)

  # ahead: [rows], how many rows behind it each sees, or empty
  def ahead(self, w: List[Tensor], rows: Tensor) -> List[Tensor]:
    inputs : List[Tensor] = []
    if rows.size(0) > 0:
      inputs.append(rows.to(w[0].device))
    return inputs

  # Appends x to the cache. Logits of the last row: [vocab], float32
  def last_logits(self, w: List[Tensor], cache: __torch__.Context, x: Tensor, position: int,
      inputs: List[Tensor]) -> Tensor:
    cos = self.narrowed(cache.cos, position, x.size(0))
    sin = self.narrowed(cache.sin, position, x.size(0))
    c = __torch__.Context(
        inputs, cache.keys, cache.values, cache.windows, cache.matrices, cos, sin, position, cache.lengths,
        cache.lengths, cache.lengths, True, None, cache.shown)
    return self.network(w, x, c).to(6).view([-1])

  # Logits of the rows that are learnt of several sequences one after the other, which do not see each other.
  def packed(self, w: List[Tensor], x: Tensor, lengths: List[int], learnt: Tensor,
      rotaries: List[Tensor]) -> Tensor:
    cos, sin = self.rotations(max(lengths), rotaries, x)
    positions = torch.cat([torch.arange(length, device=x.device) for length in lengths])
    none : List[Tensor] = []
    one : List[int] = []
    c = __torch__.Context(
        none, none, none, none, none, self.selected(cos, positions), self.selected(sin, positions), 0, one, one,
        lengths, False, learnt, none)
    return self.network(w, x, c)

  # ---- The next token, by the rules of Sampler and Scores and in their types: the same logits give the same token.

  # A divisor in a tensor is divided by; CUDA multiplies by the reciprocal of a plain number, which rounds differently.
  def number(self, x: float, like: Tensor) -> Tensor:
    return torch.full([1], x, dtype=6, device=like.device)

  def probabilities(self, scores: Tensor) -> Tensor:
    exponentials = torch.exp((scores - torch.max(scores)).to(7)).to(6).to(7)
    return (exponentials / torch.sum(exponentials)).to(6)

  # scores: [vocab]; removed tokens get minus infinity
  def process(self, scores: Tensor, temperature: float, top_k: int, top_p: float, min_p: float,
      repetition_penalty: float, seen: Tensor) -> Tensor:
    if repetition_penalty != 1.:
      penalty = self.number(repetition_penalty, scores)
      ids = seen.to(scores.device)
      score = torch.index_select(scores, 0, ids)
      score = torch.where(torch.lt(score, 0), score * penalty, score / penalty)
      scores = torch.index_copy(scores, 0, ids, score)
    if temperature != 0.:
      if temperature != 1.:
        scores = scores / self.number(temperature, scores)
      if top_k > 0 and top_k < scores.size(0):
        largest, _ = torch.topk(scores, top_k)
        scores = torch.masked_fill(scores, torch.lt(scores, torch.min(largest)), -float("inf"))
      if top_p < 1.:
        scores = torch.masked_fill(scores, self.tail(scores, top_p), -float("inf"))
      if min_p > 0.:
        p = self.probabilities(scores)
        scores = torch.masked_fill(scores, torch.lt(p, self.number(min_p, p) * torch.max(p)), -float("inf"))
    return scores

  # The least likely tokens, whose probabilities from the smallest on add up to at most 1 - top_p, but not the likeliest.
  def tail(self, scores: Tensor, top_p: float) -> Tensor:
    _, order = torch.sort(scores, stable=True)
    sums = torch.cumsum(torch.index_select(self.probabilities(scores), 0, order).to(7), 0).to(6)
    removed = torch.le(sums, self.number(1. - top_p, sums))
    torch.fill_(torch.narrow(removed, 0, removed.size(0) - 1, 1), False)
    return torch.scatter(removed, 0, order, removed)

  # point: where the draw falls, in [0, 1)
  def choose(self, logits: Tensor, how: Tuple[float, int, float, float, float, float], seen: Tensor,
      failed_logits: Tensor) -> int:
    temperature, top_k, top_p, min_p, repetition_penalty, point = how
    scores = self.process(logits, temperature, top_k, top_p, min_p, repetition_penalty, seen)
    if temperature == 0.:
      id = torch.where(torch.gt(torch.max(scores), -float("inf")), torch.argmax(scores), -1)
    else:
      sums = torch.cumsum(self.probabilities(scores).to(7), 0)
      total = sums[-1]
      id = torch.minimum(torch.sum(torch.le(sums, total * point)), torch.argmax(sums))
      id = torch.where(torch.gt(total, 0), id, -1)
    token = int(id)
    if token < 0:
      torch.copy_(failed_logits, logits)
    return token

  # ---- What is called. Results go into tensors of the caller, float32 on the CPU.

  # ids: [tokens]; embeddings: [tokens, input_width]
  def embed(self, w: List[Tensor], ids: Tensor, embeddings: Tensor) -> int:
    torch.copy_(embeddings, self.widened(self.embedded(w, ids), embeddings.size(1)))
    return embeddings.size(0)

  # ahead: [tokens], how many behind it each sees, or empty; logits of the last token: [vocab]
  def prefill(self, w: List[Tensor], cache: __torch__.Context, inputs_embeds: Tensor, ahead: Tensor, position: int,
      logits: Tensor) -> int:
    torch.copy_(logits, self.last_logits(w, cache, inputs_embeds, position, self.ahead(w, ahead)))
    return position + inputs_embeds.size(0)

  # logits: [vocab]
  def step(self, w: List[Tensor], cache: __torch__.Context, token: int, position: int, logits: Tensor) -> int:
    torch.copy_(logits, self.last_logits(w, cache, self.one_embedded(w, token), position, cache.inputs))
    return position + 1

  # One token to each of the sequences at its position; rows: where its angles are; logits: [sequences, vocab] of those
  def step_together(self, w: List[Tensor], caches: __torch__.Context, tokens: Tensor, sequences: List[int],
      positions: List[int], rows: Tensor, logits: Tensor) -> int:
    at = rows.to(w[0].device)
    c = __torch__.Context(
        caches.inputs, caches.keys, caches.values, caches.windows, caches.matrices, self.selected(caches.cos, at),
        self.selected(caches.sin, at), 0, sequences, positions, caches.lengths, False, None, caches.shown)
    x = self.embedded(w, tokens)
    y = self.network(w, x, c)
    for i in range(len(sequences)):
      torch.copy_(torch.select(logits, 0, sequences[i]), torch.select(y, 0, i))
    return len(sequences)

  # The next token instead of the logits; -1 if they are not numbers, and then they are in logits.
  # how: temperature, top_k, top_p, min_p, repetition_penalty, point; seen: [ids]
  def prefill_and_choose(self, w: List[Tensor], cache: __torch__.Context, inputs_embeds: Tensor, ahead: Tensor,
      position: int, how: Tuple[float, int, float, float, float, float], seen: Tensor, logits: Tensor) -> int:
    y = self.last_logits(w, cache, inputs_embeds, position, self.ahead(w, ahead))
    return self.choose(y, how, seen, logits)

  def step_and_choose(self, w: List[Tensor], cache: __torch__.Context, token: int, position: int,
      how: Tuple[float, int, float, float, float, float], seen: Tensor, logits: Tensor) -> int:
    x = self.one_embedded(w, token)
    return self.choose(self.last_logits(w, cache, x, position, cache.inputs), how, seen, logits)

  # A prompt into an empty cache of its length: logits [tokens, vocab], keys and values [layers, kv_heads, tokens,
  # head_dim] where all have the same heads, and what the text shows.
  def trace_prompt(self, w: List[Tensor], cache: __torch__.Context, inputs_embeds: Tensor,
      ahead: Tensor) -> List[Tensor]:
    shown : List[Tensor] = []
    c = __torch__.Context(
        self.ahead(w, ahead), cache.keys, cache.values, cache.windows, cache.matrices, cache.cos, cache.sin, 0, cache.lengths,
        cache.lengths, cache.lengths, False, None, shown)
    logits = self.network(w, inputs_embeds, c)
    return self.results([logits, self.stacked(cache.keys), self.stacked(cache.values)] + shown)

  # One behind the other; nothing where they have different sizes.
  def stacked(self, tensors: List[Tensor]) -> Tensor:
    same = True
    for x in tensors:
      same = same and x.size() == tensors[0].size()
    if same:
      stacked = torch.stack(tensors)
    else:
      stacked = torch.empty([0])
    return stacked

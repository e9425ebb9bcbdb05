# The three networks in one graph, its gradients, and AdamW. vision, adapter and decoder are the texts with which the
# trained weights are used later; where there is none, it is one that is never called. Everything a training consists of stays in here; what is called returns
# numbers or copies into tensors of the caller. Annotations are needed: this is TorchScript.
#
# Methods that are differentiated must be called with gradients switched on, the others need not be. Tensors from
# elsewhere were made with gradients switched off for good; "usable" lifts that without a copy.


# One of a network's weights: parameters under each other, see "arrange" in ops.py.
class Slot(NamedTuple):
  names : List[str]
  repeats : List[int]
  whole : bool  # otherwise it is brought to where and as the networks compute part by part


class State(NamedTuple):
  like : Tensor  # where, and as which type, the networks compute
  # What is trained, float32: adapter., llm. or encoder., and the name in the checkpoint. An adapter that stays as it is
  # is among them too, without requires_grad.
  parameters : Dict[str, Tensor]
  gradients : Dict[str, Tensor]  # summed up since the last update
  first_moments : Dict[str, Tensor]
  second_moments : Dict[str, Tensor]
  averages : Dict[str, Tensor]  # running means of the parameters, if asked for
  slots : Dict[str, List[__torch__.Slot]]  # of each network that is trained, and of the adapter: its weights in order
  llm : List[Tensor]  # the weights of the language model, if it is not trained
  rotaries : List[Tensor]  # as decoder.py takes them
  beside : Tensor  # what stands beside a visual token, [1, width]; most often nothing

  softmax : bool
  vocabulary : List[Tensor]  # LangBridge: the ids of the shared tokens, [mm_vocab]; otherwise none
  vocabulary_matrix : List[Tensor]  # their embeddings, float32, if the language model is not trained
  # LangBridge without a softmax: the last layers as one, "adapter.2.weight" and "adapter.2.bias" of an MLP, made anew
  # after every update. Micro-batches are differentiated down to these; their history leads on to the adapter's own
  # parameters.
  folded : Dict[str, Tensor]
  history : List[Tensor]  # of weight and bias


class Training(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  vision : __torch__.vision.Network
  adapter : __torch__.adapter.Network
  decoder : __torch__.decoder.Network
  state : Optional[__torch__.State]

  def get(self) -> __torch__.State:
    state = self.state
    assert state is not None
    return state

  # ---- Loading

  def start(self, like: Tensor, softmax: bool, rotaries: List[Tensor], beside: Tensor) -> int:
    parameters : Dict[str, Tensor] = {}
    gradients : Dict[str, Tensor] = {}
    first_moments : Dict[str, Tensor] = {}
    second_moments : Dict[str, Tensor] = {}
    averages : Dict[str, Tensor] = {}
    slots : Dict[str, List[__torch__.Slot]] = {}
    llm : List[Tensor] = []
    vocabulary : List[Tensor] = []
    vocabulary_matrix : List[Tensor] = []
    folded : Dict[str, Tensor] = {}
    history : List[Tensor] = []
    own : List[Tensor] = []
    for rotary in rotaries:
      own.append(rotary.clone())  # what comes from the caller lies in the caller's memory
    self.state = __torch__.State(
        like, parameters, gradients, first_moments, second_moments, averages, slots, llm, own, beside, softmax,
        vocabulary, vocabulary_matrix, folded, history)
    return 0

  def usable(self, x: Tensor) -> Tensor:
    return torch.set_(torch.empty([0], dtype=x.dtype, device=x.device), x)

  # Differentiated.
  def add_empty_parameters(self, shapes: Dict[str, Tensor], train: Tensor) -> Tensor:
    s = self.get()
    for name in list(shapes.keys()):
      zeros = torch.zeros(self.integers(shapes[name]), dtype=6, device=s.like.device)
      s.parameters[name] = torch.requires_grad_(zeros, bool(train))
    return torch.zeros([1])

  # Copies, so that what lies mapped in a file is not written to. Differentiated.
  def add_parameters(self, w: Dict[str, Tensor]) -> Tensor:
    s = self.get()
    for name in list(w.keys()):
      s.parameters[name] = torch.requires_grad_(self.usable(w[name]).to(s.like.device, 6).clone(), True)
    return torch.zeros([1])

  # network: adapter, llm or encoder; names: of parameters
  def add_slot(self, network: str, names: List[str], repeats: List[int], whole: bool) -> int:
    s = self.get()
    if network not in s.slots:
      empty : List[__torch__.Slot] = []
      s.slots[network] = empty
    s.slots[network].append(__torch__.Slot(names, repeats, whole))
    return len(s.slots[network])

  # w: the tensors of a weight, by their numbers. Differentiated, though nothing flows into it: it fuses tensors.
  def add_frozen_slot(self, w: Dict[str, Tensor], repeats: Tensor) -> Tensor:
    s = self.get()
    tensors : List[Tensor] = []
    for i in range(len(w)):
      tensors.append(self.usable(w[str(i)]))
    s.llm.append(self.decoder.arrange(tensors, self.integers(repeats)))
    return torch.zeros([1])

  def integers(self, values: Tensor) -> List[int]:
    integers : List[int] = []
    for i in range(values.size(0)):
      integers.append(int(values[i]))
    return integers

  # The last to be added. Differentiated.
  def add_vocabulary(self, ids: Tensor) -> Tensor:
    s = self.get()
    s.vocabulary.append(ids.to(s.like.device).clone())
    if len(s.llm) > 0:
      rows = torch.index_select(s.llm[0], 0, s.vocabulary[0]).to(6)
      s.vocabulary_matrix.append(self.decoder.scaled(rows, self.decoder.embedding_scale()))
    return torch.zeros([1])

  # ---- The graph

  # The weights of a network, where and as it computes.
  def weights(self, s: __torch__.State, network: str) -> List[Tensor]:
    weights : List[Tensor] = []
    for slot in s.slots[network]:
      tensors : List[Tensor] = []
      for name in slot.names:
        x = self.tensor(s, name)
        if slot.whole:
          x = x.to(s.like.device, s.like.dtype)
        tensors.append(x)
      weights.append(self.decoder.arrange(tensors, slot.repeats))
    return weights

  def tensor(self, s: __torch__.State, name: str) -> Tensor:
    if name in s.folded:
      x = s.folded[name]
    elif name == "adapter.vocabulary_matrix":
      x = self.vocabulary_matrix(s)
    else:
      x = s.parameters[name]
    return x

  # The shared tokens' embeddings, [mm_vocab, llm_hidden]: the language model's own, so they are trained with it.
  def vocabulary_matrix(self, s: __torch__.State) -> Tensor:
    if len(s.vocabulary_matrix) > 0:
      matrix = s.vocabulary_matrix[0]
    else:
      rows = torch.index_select(s.parameters["llm.model.embed_tokens.weight"], 0, s.vocabulary[0])
      matrix = self.decoder.scaled(rows, self.decoder.embedding_scale())
    return matrix

  # [tiles * patches, llm_hidden]
  def visual_tokens(self, s: __torch__.State, pictures: Tensor) -> Tensor:
    features = pictures
    if "encoder" in s.slots:
      features = torch.flatten(
          self.vision.network(self.weights(s, "encoder"), pictures, self.vision.nothing()), 0, 1)
    return self.adapter.network(self.weights(s, "adapter"), features, self.adapter.nothing())

  # Several sequences one after the other. Sum over the answers' tokens of -log p, float32. Without a language model what
  # the adapter gives for each patch are the logits themselves: answers are rows of it, of which labels are to be told.
  #
  # pictures: features [tiles * patches, mm_hidden], or pixels [tiles, 3, s, s] if the encoder is trained
  # sources: [visual tokens], which row of the adapter's output each is; one more than there are is the newline
  # places: [visual tokens], where in ids each belongs
  # ids: [tokens], anything where there is a visual token
  # lengths: [sequences]
  # answers: [answer tokens], the positions that predict them; labels: their ids
  def sum_of_losses(self, pictures: Tensor, sources: Tensor, places: Tensor, ids: Tensor, lengths: Tensor,
      answers: Tensor, labels: Tensor) -> Tensor:
    s = self.get()
    device = s.like.device
    if len(s.llm) > 0 or "llm" in s.slots:
      llm = s.llm
      if len(llm) == 0:
        llm = self.weights(s, "llm")
      x = self.decoder.embedded(llm, ids)
      if sources.size(0) > 0:
        visual = self.visual_tokens(s, pictures)
        if "adapter.image_newline" in s.parameters:
          newline = s.parameters["adapter.image_newline"].to(visual.dtype)
          visual = torch.cat([visual, newline.unsqueeze(0)])
        visual = torch.index_select(visual, 0, sources.to(device)).to(x.dtype)
        visual = torch.cat([visual, s.beside.to(x.dtype).expand([visual.size(0), -1])], -1)
        x = torch.index_copy(x, 0, places.to(device), visual)
      logits = self.decoder.packed(llm, x, self.integers(lengths), answers.to(device), s.rotaries).to(6)
    else:
      logits = torch.index_select(self.visual_tokens(s, pictures), 0, answers.to(device)).to(6)
    return torch.cross_entropy_loss(logits, labels.to(device), None, 2, -100, 0.)

  # ---- Gradients. All differentiated.

  # ((h W2 + b2) W3 + b3) E = h (W2 W3 E) + (b2 W3 + b3) E: the products with the vocabulary, by far the largest, are
  # needed once per update this way, and not for every picture. To be called before the first of these methods and after
  # every update.
  def fold(self) -> Tensor:
    s = self.get()
    if len(s.vocabulary) > 0 and not s.softmax:
      e = self.vocabulary_matrix(s)
      w3_e = torch.matmul(torch.t(s.parameters["adapter.3.weight"]), e)  # [mlp_hidden, llm_hidden]
      weight = torch.matmul(torch.t(w3_e), s.parameters["adapter.2.weight"])  # [llm_hidden, mlp_hidden]
      bias = torch.matmul(s.parameters["adapter.2.bias"], w3_e) + torch.matmul(s.parameters["adapter.3.bias"], e)
      s.history.clear()
      s.history.append(weight)
      s.history.append(bias)
      s.folded["adapter.2.weight"] = torch.requires_grad_(weight.detach(), True)
      s.folded["adapter.2.bias"] = torch.requires_grad_(bias.detach(), True)
    return torch.zeros([1])

  # Adds the gradients of factor * sum_of_losses; returns the sum.
  def accumulate(self, pictures: Tensor, sources: Tensor, places: Tensor, ids: Tensor, lengths: Tensor,
      answers: Tensor, labels: Tensor, factor: Tensor) -> Tensor:
    s = self.get()
    loss = self.sum_of_losses(pictures, sources, places, ids, lengths, answers, labels)
    names : List[str] = []
    leaves : List[Tensor] = []
    for name in list(s.parameters.keys()):
      trained = s.parameters[name].requires_grad
      if trained and not (len(s.folded) > 0 and self.is_folded(name)):
        names.append(name)
        leaves.append(s.parameters[name])
    if len(s.folded) > 0:
      names.append("folded weight")
      leaves.append(s.folded["adapter.2.weight"])
      names.append("folded bias")
      leaves.append(s.folded["adapter.2.bias"])
    gradients = torch.grad([loss * factor.to(loss.device)], leaves, None, None, False, True)
    for i in range(len(names)):
      self.add(s, names[i], gradients[i])
    return loss.detach().to(torch.device("cpu"))

  def is_folded(self, name: str) -> bool:
    return name.startswith("adapter.2.") or name.startswith("adapter.3.")

  # None: nothing in the batch depends on it, a picture's weights on a text.
  def add(self, s: __torch__.State, name: str, gradient: Optional[Tensor]) -> int:
    if gradient is not None:
      if name in s.gradients:
        torch.add_(s.gradients[name], gradient)
      else:
        s.gradients[name] = gradient.clone(memory_format=0)  # contiguous
    return 0

  # From the folded layers on to the adapter's own.
  def unfold(self) -> Tensor:
    s = self.get()
    if "folded weight" in s.gradients:
      names : List[str] = []
      if s.parameters["adapter.2.weight"].requires_grad:
        for name in ["adapter.2.weight", "adapter.2.bias", "adapter.3.weight", "adapter.3.bias"]:
          names.append(name)
      if len(s.vocabulary_matrix) == 0:
        names.append("llm.model.embed_tokens.weight")
      leaves : List[Tensor] = []
      for name in names:
        leaves.append(s.parameters[name])
      given : List[Optional[Tensor]] = [s.gradients["folded weight"], s.gradients["folded bias"]]
      gradients = torch.grad(s.history, leaves, given, None, False, True)
      for i in range(len(names)):
        self.add(s, names[i], gradients[i])
      s.gradients.pop("folded weight")
      s.gradients.pop("folded bias")
    return torch.zeros([1])

  # ---- Without gradients

  def evaluate(self, pictures: Tensor, sources: Tensor, places: Tensor, ids: Tensor, lengths: Tensor,
      answers: Tensor, labels: Tensor) -> float:
    return float(self.sum_of_losses(pictures, sources, places, ids, lengths, answers, labels))

  def gradient_norm(self) -> float:
    s = self.get()
    squares = 0.
    for name in list(s.gradients.keys()):
      squares = squares + float(torch.sum(torch.square(s.gradients[name]), dtype=7))
    return squares ** 0.5

  # AdamW for the parameters with this prefix, or Muon for the matrices in layers among them and AdamW for the rest.
  # factor: on the gradients. updates: how many with this one. Weight decay applies to matrices only.
  def update(self, prefix: str, learning_rate: float, factor: float, updates: int, beta1: float, beta2: float,
      epsilon: float, weight_decay: float, muon: bool) -> int:
    s = self.get()
    correction1 = 1. - beta1 ** updates
    correction2 = 1. - beta2 ** updates
    for name in list(s.parameters.keys()):
      if name.startswith(prefix) and s.parameters[name].requires_grad:
        x = s.parameters[name]
        gradient = torch.mul_(self.gradient(s, name), factor)
        self.add_moments(s, name)
        first = s.first_moments[name]
        second = s.second_moments[name]
        if weight_decay > 0. and x.dim() > 1:
          torch.mul_(x, 1. - learning_rate * weight_decay)
        if muon and x.dim() == 2 and ".layers." in name:
          torch.add_(torch.mul_(first, 0.95), gradient)
          # As large as AdamW's steps are, so that one learning rate suits all parameters.
          size = 0.2 * float(max(x.size(0), x.size(1))) ** 0.5
          torch.add_(x, self.orthogonal(torch.add(gradient, first, alpha=0.95)), alpha=torch.neg(learning_rate) * size)
          continue
        torch.add_(torch.mul_(first, beta1), gradient, alpha=1. - beta1)
        torch.addcmul_(torch.mul_(second, beta2), gradient, gradient, value=1. - beta2)
        scale = torch.add_(torch.sqrt_(torch.div(second, correction2)), epsilon)
        torch.addcdiv_(x, first, scale, value=torch.neg(learning_rate) / correction1)
    return len(s.parameters)

  # Brings all singular values near 1 by Newton-Schulz steps with Muon's coefficients.
  def orthogonal(self, direction: Tensor) -> Tensor:
    tall = direction.size(0) > direction.size(1)
    if tall:
      x = torch.t(direction)
    else:
      x = direction
    x = torch.div(x, torch.add(torch.norm(x), 1e-7))
    for step in range(5):
      a = torch.matmul(x, torch.t(x))
      x = torch.add(torch.mul(x, 3.4445), torch.matmul(torch.add(torch.mul(a, -4.775), torch.matmul(a, a), alpha=2.0315), x))
    if tall:
      x = torch.t(x)
    return x

  # A parameter that no batch touched has a gradient of zero: its moments fade all the same.
  def gradient(self, s: __torch__.State, name: str) -> Tensor:
    if name in s.gradients:
      gradient = s.gradients[name]
    else:
      gradient = torch.zeros_like(s.parameters[name])
    return gradient

  def add_moments(self, s: __torch__.State, name: str) -> int:
    if name not in s.first_moments:
      s.first_moments[name] = torch.zeros_like(s.parameters[name])
      s.second_moments[name] = torch.zeros_like(s.parameters[name])
    return 0

  # Moves the averages by this share towards the parameters; 1 makes them the same.
  def average(self, share: float) -> int:
    s = self.get()
    for name in list(s.parameters.keys()):
      torch.lerp_(self.averaged(s, name), s.parameters[name], share)
    return len(s.averages)

  def averaged(self, s: __torch__.State, name: str) -> Tensor:
    if name not in s.averages:
      s.averages[name] = s.parameters[name].detach().clone()
    return s.averages[name]

  def discard_gradients(self) -> int:
    self.get().gradients.clear()
    return 0

  # ---- Values in and out

  def values(self, kind: str, name: str) -> Tensor:
    s = self.get()
    if kind == "parameter":
      values = s.parameters[name]
    elif kind == "gradient":
      values = self.gradient(s, name)
    elif kind == "average":
      values = self.averaged(s, name)
    else:
      self.add_moments(s, name)
      values = s.first_moments[name]
      if kind == "second_moment":
        values = s.second_moments[name]
    return values.view([-1])

  # target: [n], float32 on the CPU
  def read(self, kind: str, name: str, first: int, target: Tensor) -> int:
    torch.copy_(target, torch.narrow(self.values(kind, name), 0, first, target.size(0)))
    return first + target.size(0)

  def write(self, kind: str, name: str, first: int, source: Tensor) -> int:
    torch.copy_(torch.narrow(self.values(kind, name), 0, first, source.size(0)), source)
    return first + source.size(0)

# The three networks in one graph, its gradients, and AdamW. vision, adapter and decoder are the texts of the same names,
# with which the trained weights are used later. Everything a training consists of stays in here; what is called returns
# numbers or copies into tensors of the caller. Annotations are needed: this is TorchScript.
#
# Methods that are differentiated must be called with gradients switched on, the others need not be. Tensors from
# elsewhere were made with gradients switched off for good; "usable" lifts that without a copy.


class State(NamedTuple):
  like : Tensor  # where, and as which type, the networks compute
  # What is trained, float32: adapter., llm. or encoder., and the name in the checkpoint. An adapter that stays as it is
  # is among them too, without requires_grad.
  parameters : Dict[str, Tensor]
  gradients : Dict[str, Tensor]  # summed up since the last update
  first_moments : Dict[str, Tensor]
  second_moments : Dict[str, Tensor]

  adapter : Dict[str, Tensor]  # the adapter's parameters without the prefix
  softmax : bool
  vocabulary : List[Tensor]  # LangBridge: the ids of the shared tokens, [mm_vocab]; otherwise none
  vocabulary_matrix : List[Tensor]  # their embeddings, float32, if the language model is not trained
  # LangBridge without a softmax: the last layers as one, "weight" and "bias", made anew after every update. Micro-batches
  # are differentiated down to these; "weight history" and "bias history" lead on to the adapter's own parameters.
  folded : Dict[str, Tensor]

  llm_config : __torch__.decoder.Config
  sliding : List[bool]
  inverse_frequencies : Tensor  # [head_dim / 2]
  llm_layers : List[__torch__.decoder.Layer]  # if it is not trained
  llm : List[__torch__.decoder.Model]  # one, if it is not trained
  llm_layer_parameters : List[Dict[str, Tensor]]  # if it is trained
  llm_rest : Dict[str, Tensor]

  encoder_config : List[__torch__.vision.Config]  # one, if it is trained; otherwise features come from outside
  first_token : int  # 1 leaves out the class token
  encoder_layer_parameters : List[Dict[str, Tensor]]
  encoder_rest : Dict[str, Tensor]


class Training(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  vision : __torch__.vision.Vision
  adapter : __torch__.adapter.Adapter
  decoder : __torch__.decoder.Decoder
  state : Optional[__torch__.State]

  def get(self) -> __torch__.State:
    state = self.state
    assert state is not None
    return state

  # ---- Loading

  def start(self, like: Tensor, softmax: bool, num_attention_heads: int, num_key_value_heads: int, head_dim: int,
      rms_norm_eps: float, sliding_window: int, sliding: List[bool], inverse_frequencies: Tensor,
      first_token: int) -> int:
    parameters : Dict[str, Tensor] = {}
    gradients : Dict[str, Tensor] = {}
    first_moments : Dict[str, Tensor] = {}
    second_moments : Dict[str, Tensor] = {}
    adapter : Dict[str, Tensor] = {}
    vocabulary : List[Tensor] = []
    vocabulary_matrix : List[Tensor] = []
    folded : Dict[str, Tensor] = {}
    llm_layers : List[__torch__.decoder.Layer] = []
    llm : List[__torch__.decoder.Model] = []
    llm_layer_parameters : List[Dict[str, Tensor]] = []
    llm_rest : Dict[str, Tensor] = {}
    encoder_config : List[__torch__.vision.Config] = []
    encoder_layer_parameters : List[Dict[str, Tensor]] = []
    encoder_rest : Dict[str, Tensor] = {}
    frequencies = inverse_frequencies.clone()  # what comes from the caller lies in the caller's memory
    llm_config = self.decoder.config(
        num_attention_heads, num_key_value_heads, head_dim, rms_norm_eps, sliding_window)
    self.state = __torch__.State(
        like, parameters, gradients, first_moments, second_moments, adapter, softmax, vocabulary,
        vocabulary_matrix, folded, llm_config, sliding, frequencies, llm_layers, llm, llm_layer_parameters, llm_rest,
        encoder_config, first_token, encoder_layer_parameters, encoder_rest)
    return 0

  def train_encoder(self, clip: bool, num_attention_heads: int, patch_size: int, hidden_act: str,
      layer_norm_eps: float) -> int:
    config = self.vision.config(clip, num_attention_heads, patch_size, hidden_act, layer_norm_eps)
    self.get().encoder_config.append(config)
    return 0

  def usable(self, x: Tensor) -> Tensor:
    return torch.set_(torch.empty([0], dtype=x.dtype, device=x.device), x)

  def all_usable(self, w: Dict[str, Tensor]) -> Dict[str, Tensor]:
    usable : Dict[str, Tensor] = {}
    for name in list(w.keys()):
      usable[name] = self.usable(w[name])
    return usable

  # Differentiated.
  def add_empty_parameters(self, shapes: Dict[str, Tensor], train: Tensor) -> Tensor:
    s = self.get()
    for name in list(shapes.keys()):
      shape : List[int] = []
      for i in range(shapes[name].size(0)):
        shape.append(int(shapes[name][i]))
      s.parameters[name] = torch.requires_grad_(torch.zeros(shape, dtype=6, device=s.like.device), bool(train))
    return torch.zeros([1])

  # Copies, so that what lies mapped in a file is not written to. Differentiated.
  def add_parameters(self, w: Dict[str, Tensor]) -> Tensor:
    s = self.get()
    for name in list(w.keys()):
      s.parameters[name] = torch.requires_grad_(self.usable(w[name]).to(s.like.device, 6).clone(), True)
    return torch.zeros([1])

  # Sorts the parameters into layers. They come in the order of their numbers.
  def arrange(self) -> int:
    s = self.get()
    for name in list(s.parameters.keys()):
      tensor = s.parameters[name]
      if name.startswith("adapter."):
        s.adapter[name[8:]] = tensor
      elif name.startswith("llm."):
        self.put(s.llm_layer_parameters, s.llm_rest, name[4:], "model.layers.", tensor)
      else:
        self.put(s.encoder_layer_parameters, s.encoder_rest, name[8:], "encoder.layers.", tensor)
    return len(s.parameters)

  def put(self, layers: List[Dict[str, Tensor]], rest: Dict[str, Tensor], name: str, prefix: str,
      tensor: Tensor) -> int:
    if name.startswith(prefix):
      numbered = name[len(prefix):]
      dot = numbered.find(".")
      layer = int(numbered[:dot])
      if layer == len(layers):
        empty : Dict[str, Tensor] = {}
        layers.append(empty)
      layers[layer][numbered[dot + 1:]] = tensor
    else:
      rest[name] = tensor
    return len(layers)

  # Differentiated, though nothing flows into it: it fuses tensors.
  def add_frozen_layer(self, w: Dict[str, Tensor]) -> Tensor:
    s = self.get()
    layer = self.decoder.layer(s.llm_config, s.sliding[len(s.llm_layers)], self.all_usable(w))
    s.llm_layers.append(layer)
    return torch.zeros([1])

  def add_frozen_rest(self, w: Dict[str, Tensor]) -> Tensor:
    s = self.get()
    s.llm.append(self.decoder.model(s.llm_config, s.llm_layers, self.all_usable(w)))
    return torch.zeros([1])

  # The last to be added. Differentiated.
  def add_vocabulary(self, ids: Tensor) -> Tensor:
    s = self.get()
    s.vocabulary.append(ids.to(s.like.device).clone())
    if len(s.llm) > 0:
      s.vocabulary_matrix.append(torch.index_select(s.llm[0].embed_tokens, 0, s.vocabulary[0]).to(6))
    return torch.zeros([1])

  # ---- The graph

  def computing(self, s: __torch__.State, w: Dict[str, Tensor]) -> Dict[str, Tensor]:
    computing : Dict[str, Tensor] = {}
    for name in list(w.keys()):
      computing[name] = w[name].to(s.like.device, s.like.dtype)
    return computing

  def llm(self, s: __torch__.State) -> __torch__.decoder.Model:
    if len(s.llm) > 0:
      model = s.llm[0]
    else:
      layers : List[__torch__.decoder.Layer] = []
      for w in s.llm_layer_parameters:
        layers.append(self.decoder.layer(s.llm_config, s.sliding[len(layers)], self.computing(s, w)))
      model = self.decoder.model(s.llm_config, layers, self.computing(s, s.llm_rest))
    return model

  # [tiles * patches, mm_hidden]
  def features(self, s: __torch__.State, pixels: Tensor) -> Tensor:
    layers : List[__torch__.vision.Layer] = []
    for w in s.encoder_layer_parameters:
      layers.append(self.vision.layer(self.computing(s, w)))
    tower = self.vision.tower(s.encoder_config[0], layers, self.computing(s, s.encoder_rest))
    return torch.flatten(self.vision.run(tower, pixels, s.first_token), 0, 1)

  # The shared tokens' embeddings, [mm_vocab, llm_hidden]: the language model's own, so they are trained with it.
  def vocabulary_matrix(self, s: __torch__.State) -> Tensor:
    if len(s.vocabulary_matrix) > 0:
      matrix = s.vocabulary_matrix[0]
    else:
      matrix = torch.index_select(s.llm_rest["model.embed_tokens.weight"], 0, s.vocabulary[0])
    return matrix

  # [tiles * patches, llm_hidden]
  def visual_tokens(self, s: __torch__.State, features: Tensor) -> Tensor:
    w = s.adapter
    if len(s.vocabulary) == 0:
      computing = self.computing(s, w)
      weights : List[Tensor] = []
      biases : List[Tensor] = []
      for name in list(w.keys()):
        if name.endswith("weight"):
          weights.append(computing[name])
        elif name.endswith("bias"):
          biases.append(computing[name])
      visual_tokens = self.adapter.run_mlp(weights, biases, features)
    elif s.softmax:
      matrix = self.vocabulary_matrix(s).to(s.like.dtype)
      visual_tokens = self.adapter.run_softmax(self.adapter.projector(w), matrix, features)
    else:
      dtype = s.like.dtype
      visual_tokens = self.adapter.run_mlp(
          [w["0.weight"].to(dtype), s.folded["weight"].to(dtype)],
          [w["0.bias"].to(dtype), s.folded["bias"].to(dtype)], features)
    return visual_tokens

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
    if len(s.llm) + len(s.llm_rest) > 0:
      llm = self.llm(s)
      x = torch.embedding(llm.embed_tokens, ids.to(device))
      if sources.size(0) > 0:
        visual = self.visual_tokens_of(s, pictures)
        if "image_newline" in s.adapter:
          visual = torch.cat([visual, s.adapter["image_newline"].to(visual.dtype).unsqueeze(0)])
        visual = torch.index_select(visual, 0, sources.to(device))
        x = torch.index_copy(x, 0, places.to(device), visual.to(x.dtype))
      all_lengths : List[int] = []
      for i in range(lengths.size(0)):
        all_lengths.append(int(lengths[i]))
      x = self.decoder.run_packed(llm, x, all_lengths, s.inverse_frequencies)
      x = self.decoder.final_norm(llm, torch.index_select(x, 0, answers.to(device)))
      logits = self.decoder.head(llm, x).to(6)
    else:
      logits = torch.index_select(self.visual_tokens_of(s, pictures), 0, answers.to(device)).to(6)
    return torch.cross_entropy_loss(logits, labels.to(device), None, 2, -100, 0.)

  def visual_tokens_of(self, s: __torch__.State, pictures: Tensor) -> Tensor:
    features = pictures
    if len(s.encoder_config) > 0:
      features = self.features(s, pictures)
    return self.visual_tokens(s, features)

  # ---- Gradients. All differentiated.

  # ((h W2 + b2) W3 + b3) E = h (W2 W3 E) + (b2 W3 + b3) E: the products with the vocabulary, by far the largest, are
  # needed once per update this way, and not for every picture. To be called before the first of these methods and after
  # every update.
  def fold(self) -> Tensor:
    s = self.get()
    if len(s.vocabulary) > 0 and not s.softmax:
      w = s.adapter
      e = self.vocabulary_matrix(s)
      w3_e = torch.matmul(torch.t(w["3.weight"]), e)  # [mlp_hidden, llm_hidden]
      weight = torch.matmul(torch.t(w3_e), w["2.weight"])  # [llm_hidden, mlp_hidden]
      bias = torch.matmul(w["2.bias"], w3_e) + torch.matmul(w["3.bias"], e)
      s.folded["weight history"] = weight
      s.folded["bias history"] = bias
      s.folded["weight"] = torch.requires_grad_(weight.detach(), True)
      s.folded["bias"] = torch.requires_grad_(bias.detach(), True)
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
      leaves.append(s.folded["weight"])
      names.append("folded bias")
      leaves.append(s.folded["bias"])
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
      history = [s.folded["weight history"], s.folded["bias history"]]
      gradients = torch.grad(history, leaves, given, None, False, True)
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

"""Parity and speed of the TorchScript networks outside Java; see README.md."""

import argparse
import json
import statistics
import struct
import sys
import time
from pathlib import Path

import torch

DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "U8": torch.uint8}
LIMITS = {torch.float32: 2e-5, torch.bfloat16: 3e-2}
# What figures at real shapes should reach: (what, compare with, at least).
GOALS = [
    ("qwen2-7b decode per token", "of_bound", 0.8),
    ("qwen2-7b decode per token", "transformers", 1.5),
    ("qwen2-0.5b decode per token", "transformers", 3.0),
    ("qwen2-0.5b prefill", "of_bound", 0.5),
    ("qwen2-7b prefill", "of_bound", 0.5),
    ("adapter for qwen2-0.5b, folded", "unfolded", 8.0),
    ("adapter for qwen2-7b, folded", "unfolded", 8.0),
]
GREEDY = (0.0, 0, 1.0, 0.0, 1.0, 0.0)
NOTHING_SEEN = torch.zeros(0, dtype=torch.int64)


def safetensors(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__" or entry["dtype"] not in DTYPES:
            continue
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        if start == end:
            continue
        flat = torch.frombuffer(bytearray(data[start:end]), dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def checkpoint(folder):
    tensors = {}
    for file in sorted(folder.glob("*.safetensors")):
        tensors.update(safetensors(file))
    return tensors


def under(tensors, prefix):
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def placed(tensors, device, dtype):
    return {name: tensor.to(device, dtype) for name, tensor in tensors.items() if tensor.is_floating_point()}


def error(actual, expected):
    actual, expected = actual.double().flatten(), expected.double().flatten()
    return float((actual - expected).norm() / expected.norm())


class Decoder:
    def __init__(self, archive, config, weights):
        """weights: on the device and in the type of the computation"""
        self.script = torch.jit.load(archive)
        heads = config["num_attention_heads"]
        self.head_dim = config.get("head_dim") or config["hidden_size"] // heads
        window = config.get("sliding_window") or 0
        if config["model_type"] == "qwen2" and not config.get("use_sliding_window"):
            window = 0
        shape = self.script.config(
            heads, config.get("num_key_value_heads", heads), self.head_dim, config["rms_norm_eps"], window)
        layers = []
        for i in range(config["num_hidden_layers"]):
            kind = (config.get("layer_types") or ["sliding_attention"] * (i + 1))[i]
            sliding = window > 0 and kind == "sliding_attention"
            layers.append(self.script.layer(shape, sliding, under(weights, f"model.layers.{i}.")))
        ends = {n: w for n, w in weights.items() if not n.startswith("model.layers.")}
        if config.get("tie_word_embeddings"):
            ends.pop("lm_head.weight", None)
        self.model = self.script.model(shape, layers, ends)
        self.config = config

    def choose(self, cache, token, position, logits):
        """The likeliest token after this one, chosen on the device: one number comes back."""
        return self.script.step_and_choose(self.model, cache, token, position, GREEDY, NOTHING_SEEN, logits)

    def open(self, capacity, inverse_frequencies=None):
        if inverse_frequencies is None:
            theta = self.config.get("rope_theta") or self.config["rope_parameters"]["rope_theta"]
            exponents = torch.arange(0, self.head_dim, 2, dtype=torch.float32) / self.head_dim
            inverse_frequencies = 1.0 / theta**exponents
        return self.script.open(self.model, capacity, inverse_frequencies)


def vision_tower(script, config, weights, layers):
    clip = "embeddings.class_embedding" in weights
    activation = config.get("hidden_act") or ("quick_gelu" if clip else "gelu_pytorch_tanh")
    epsilon = config.get("layer_norm_eps") or (1e-5 if clip else 1e-6)
    shape = script.config(clip, config["num_attention_heads"], config["patch_size"], activation, epsilon)
    return script.tower(shape, [script.layer(under(weights, f"encoder.layers.{i}.")) for i in range(layers)], weights)


def parity_decoders(archives, fixtures, device, dtype, report):
    for folder in sorted((fixtures / "decoders").iterdir()):
        if not (folder / "case.json").exists():
            continue
        expected = safetensors(folder / "tensors.safetensors")
        config = json.loads((folder / "checkpoint/config.json").read_text())
        weights = placed(checkpoint(folder / "checkpoint"), device, dtype)
        decoder = Decoder(archives / "decoder.pt", config, weights)
        ids = expected["long.input_ids"]
        embeddings = torch.empty(len(ids), config["hidden_size"])
        decoder.script.embed(decoder.model, ids, embeddings)
        want = expected["long.logits"]
        logits = torch.empty(config["vocab_size"])
        frequencies = expected["rope.inv_freq"]
        cache = decoder.open(len(ids), frequencies)
        decoder.script.prefill(decoder.model, cache, embeddings, 0, logits)
        report("parity", f"{folder.name} prefill", error(logits, want[-1]))
        cache = decoder.open(len(ids), frequencies)
        rows, position = [], 0
        for tokens in [5, 4, len(ids) - 9 - 16]:
            decoder.script.prefill(decoder.model, cache, embeddings[position : position + tokens], position, logits)
            position += tokens
        for i in range(position, len(ids)):
            decoder.script.step(decoder.model, cache, int(ids[i]), i, logits)
            rows.append(logits.clone())
        report("parity", f"{folder.name} chunks, then one by one", error(torch.stack(rows), want))
        chosen = decoder.choose(cache, int(ids[-1]), len(ids) - 1, logits)
        report("parity", f"{folder.name} token chosen on the device", float(chosen != int(rows[-1].argmax())))


def parity_vision(archives, fixtures, device, dtype, report):
    script = torch.jit.load(archives / "vision.pt")
    for folder in sorted((fixtures / "vision").iterdir()):
        expected = safetensors(folder / "tensors.safetensors")
        config = json.loads((folder / "checkpoint/config.json").read_text())
        config = config.get("vision_config", config)
        weights = checkpoint(folder / "checkpoint")
        weights = placed(under(weights, "vision_model.") or weights, device, dtype)
        layers = config["num_hidden_layers"] - 1
        tower = vision_tower(script, config, weights, layers)
        features = torch.empty_like(expected["features.layer_-2.patch"])
        tokens = expected["hidden_states.0"].shape[1]
        script.forward(tower, expected["pixel_values"], tokens - features.shape[1], features)
        report("parity", f"{folder.name} features", error(features, expected["features.layer_-2.patch"]))


def fold(weights, matrix):
    """The last three products as one layer, in float32: its weight and its bias."""
    tail = weights["3.weight"].float().T @ matrix.float()
    weight = tail.T @ weights["2.weight"].float()
    return weight, weights["2.bias"].float() @ tail + weights["3.bias"].float() @ matrix.float()


def parity_adapter(archives, fixtures, device, dtype, report):
    script = torch.jit.load(archives / "adapter.pt")
    expected = safetensors(fixtures / "adapter/langbridge/tensors.safetensors")
    weights = safetensors(fixtures / "adapter/langbridge/mm_projector.safetensors")
    weights = under(weights, "model.mm_projector.") or weights
    features = expected["features"].flatten(0, 1)
    w = placed(weights, device, dtype)
    projector = script.projector(w)
    for name in ["qwen2", "llama3"]:
        matrix = expected[f"{name}.vocabulary_matrix"]
        result = torch.empty(len(features), matrix.shape[1])
        weight, bias = fold(weights, matrix)
        layers = [w["0.weight"], weight.to(device, dtype)], [w["0.bias"], bias.to(device, dtype)]
        script.mlp(*layers, features, result)
        report("parity", f"langbridge {name}, folded", error(result, expected[f"{name}.visual_tokens"]))
        script.softmax(projector, matrix.to(device, dtype), features, result)
        report("parity", f"langbridge {name}, softmax", error(result, expected[f"{name}.visual_tokens_softmax"]))


def median_ms(action, device, runs):
    samples = []
    for _ in range(runs + 2):
        synchronize(device)
        start = time.perf_counter()
        action()
        synchronize(device)
        samples.append((time.perf_counter() - start) * 1000)
    return statistics.median(samples[2:])


def synchronize(device):
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def bounds(device, dtype):
    """Bytes per ms when reading and flop per ms of a large product, both measured here."""
    data = torch.ones(LARGE << 17, dtype=torch.bfloat16, device=device)
    bandwidth = data.numel() * 2 / median_ms(lambda: data.sum(dtype=torch.float32), device, 10)
    copy = torch.empty_like(data)
    bandwidth = max(bandwidth, data.numel() * 4 / median_ms(lambda: copy.copy_(data), device, 10))
    del data, copy
    n = LARGE
    a = torch.randn(n, n, device=device, dtype=dtype)
    flops = 2 * n**3 / median_ms(lambda: a @ a, device, 10)
    return bandwidth, flops


DECODERS = {
    "qwen2-0.5b": dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
                       num_key_value_heads=2, vocab_size=151936, tie_word_embeddings=True),
    "qwen2-7b": dict(hidden_size=3584, intermediate_size=18944, num_hidden_layers=28, num_attention_heads=28,
                     num_key_value_heads=4, vocab_size=152064, tie_word_embeddings=False),
}
ENCODER = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, image_size=336,
               patch_size=14, hidden_act="quick_gelu", layer_norm_eps=1e-5)
ADAPTER = dict(mlp=5120, vocabulary=19200)
PROMPT, STEPS, LARGE = 640, 128, 8192


def shrink():
    """Shapes at which the timings only show that they run."""
    global PROMPT, STEPS, LARGE
    for config in DECODERS.values():
        config.update(hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
                      num_key_value_heads=2, vocab_size=1000)
    ENCODER.update(hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, image_size=56)
    ADAPTER.update(mlp=96, vocabulary=9000)
    PROMPT, STEPS, LARGE = 16, 4, 256


def random_decoder(c, device, dtype):
    def random(*shape):
        return torch.randn(*shape, device=device, dtype=dtype) * 0.02

    hidden, intermediate = c["hidden_size"], c["intermediate_size"]
    keys = hidden // c["num_attention_heads"] * c["num_key_value_heads"]
    weights = {"model.embed_tokens.weight": random(c["vocab_size"], hidden),
               "model.norm.weight": torch.ones(hidden, device=device, dtype=dtype)}
    if not c["tie_word_embeddings"]:
        weights["lm_head.weight"] = random(c["vocab_size"], hidden)
    for i in range(c["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        for norm in ["input_layernorm", "post_attention_layernorm"]:
            weights[f"{layer}{norm}.weight"] = torch.ones(hidden, device=device, dtype=dtype)
        for name, rows in [("q", hidden), ("k", keys), ("v", keys)]:
            weights[f"{layer}self_attn.{name}_proj.weight"] = random(rows, hidden)
            weights[f"{layer}self_attn.{name}_proj.bias"] = random(rows)
        weights[layer + "self_attn.o_proj.weight"] = random(hidden, hidden)
        weights[layer + "mlp.gate_proj.weight"] = random(intermediate, hidden)
        weights[layer + "mlp.up_proj.weight"] = random(intermediate, hidden)
        weights[layer + "mlp.down_proj.weight"] = random(hidden, intermediate)
    return weights


def time_decoder(name, archives, device, dtype, report, bandwidth, flops):
    config = dict(DECODERS[name], model_type="qwen2", rms_norm_eps=1e-6, rope_theta=1e6,
                  max_position_embeddings=32768)
    weights = random_decoder(config, device, dtype)
    decoder = Decoder(archives / "decoder.pt", config, weights)
    script, model = decoder.script, decoder.model
    count = sum(w.numel() for n, w in weights.items() if "embed" not in n or config["tie_word_embeddings"])
    head = config["vocab_size"] * config["hidden_size"]
    size = weights["model.embed_tokens.weight"].element_size()
    cache = decoder.open(PROMPT + STEPS)
    embeddings = torch.randn(PROMPT, config["hidden_size"])
    logits = torch.empty(config["vocab_size"])
    one = torch.zeros(1, config["hidden_size"], device=device, dtype=dtype)
    crossing = median_ms(lambda: script.final_norm(model, one), device, 20)

    def prefill():
        return script.prefill_and_choose(model, cache, embeddings, 0, GREEDY, NOTHING_SEEN, logits)

    prefill_ms = median_ms(prefill, device, 5)

    def decode():
        token = 1
        for i in range(STEPS):
            token = decoder.choose(cache, token, PROMPT + i, logits)

    step_ms = median_ms(decode, device, 3) / STEPS
    peer = transformers_decoder(name, config, weights, device, dtype, report)
    report("time", f"{name} prefill", prefill_ms, tokens=PROMPT, crossing_ms=crossing, transformers=peer.get("prefill"),
           of_bound=2 * PROMPT * (count - head) / flops / (prefill_ms - crossing))
    report("time", f"{name} decode per token", step_ms, tokens=STEPS, crossing_ms=crossing,
           transformers=peer.get("decode"), of_bound=count * size / bandwidth / (step_ms - crossing))


def transformers_decoder(name, config, weights, device, dtype, report):
    """Milliseconds of the same work with the same weights; nothing where transformers is not installed."""
    try:
        from transformers import Qwen2Config, Qwen2ForCausalLM
    except ImportError:
        report("skipped", f"{name} in transformers, which is not installed", None)
        return {}
    keys = {k: v for k, v in config.items() if k not in ("model_type", "rope_theta")}
    with torch.device("meta"):
        peer = Qwen2ForCausalLM(Qwen2Config(**keys))
    peer = peer.to(dtype).to_empty(device=device)
    peer.model.rotary_emb = type(peer.model.rotary_emb)(peer.config, device=device)
    peer.load_state_dict(weights, strict=False)
    peer.eval()
    inputs = torch.randn(1, PROMPT, config["hidden_size"], device=device, dtype=dtype)
    prefill = median_ms(lambda: peer(inputs_embeds=inputs, use_cache=True, logits_to_keep=1), device, 5)
    generate = dict(max_new_tokens=STEPS + 1, min_new_tokens=STEPS + 1, do_sample=False, eos_token_id=None)
    both = median_ms(lambda: peer.generate(inputs_embeds=inputs, **generate), device, 2)
    return dict(prefill=prefill, decode=(both - prefill) / STEPS)


def time_vision(archives, device, dtype, report, flops):
    def random(*shape):
        return torch.randn(*shape, device=device, dtype=dtype) * 0.02

    hidden, inner, patch = ENCODER["hidden_size"], ENCODER["intermediate_size"], ENCODER["patch_size"]
    patches = (ENCODER["image_size"] // patch) ** 2
    layers, tokens = ENCODER["num_hidden_layers"] - 1, patches + 1
    weights = {"embeddings.class_embedding": random(hidden),
               "embeddings.patch_embedding.weight": random(hidden, 3, patch, patch),
               "embeddings.position_embedding.weight": random(tokens, hidden),
               "pre_layrnorm.weight": random(hidden), "pre_layrnorm.bias": random(hidden)}
    for i in range(layers):
        shapes = [(f"self_attn.{p}_proj", hidden, hidden) for p in ["q", "k", "v", "out"]]
        for name, rows, columns in shapes + [("mlp.fc1", inner, hidden), ("mlp.fc2", hidden, inner)]:
            weights[f"encoder.layers.{i}.{name}.weight"] = random(rows, columns)
            weights[f"encoder.layers.{i}.{name}.bias"] = random(rows)
        for norm in ["layer_norm1", "layer_norm2"]:
            weights[f"encoder.layers.{i}.{norm}.weight"] = random(hidden)
            weights[f"encoder.layers.{i}.{norm}.bias"] = random(hidden)
    script = torch.jit.load(archives / "vision.pt")
    tower = vision_tower(script, ENCODER, weights, layers)
    peer = transformers_vision(weights, layers, device, dtype, report)
    for tiles in [1, 5]:
        pixels = torch.randn(tiles, 3, ENCODER["image_size"], ENCODER["image_size"])
        features = torch.empty(tiles, patches, hidden)
        ms = median_ms(lambda: script.forward(tower, pixels, 1, features), device, 10)
        theirs = peer and median_ms(lambda: peer(pixels.to(device, dtype)).last_hidden_state.float().cpu(), device, 10)
        work = tiles * layers * 2 * tokens * (4 * hidden**2 + 2 * hidden * inner + 2 * tokens * hidden)
        report("time", f"encode {tiles} tiles", ms, transformers=theirs, of_bound=work / flops / ms)


def transformers_vision(weights, layers, device, dtype, report):
    try:
        from transformers import CLIPVisionConfig, CLIPVisionModel
    except ImportError:
        report("skipped", "the encoder in transformers, which is not installed", None)
        return None
    peer = CLIPVisionModel(CLIPVisionConfig(**dict(ENCODER, num_hidden_layers=layers))).to(device, dtype).eval()
    peer.load_state_dict({f"vision_model.{name}": weight for name, weight in weights.items()}, strict=False)
    return peer


def time_adapter(archives, device, dtype, report, flops):
    def random(*shape):
        return torch.randn(*shape, device=device, dtype=dtype) * 0.02

    script = torch.jit.load(archives / "adapter.pt")
    features, mlp, vocabulary = ENCODER["hidden_size"], ADAPTER["mlp"], ADAPTER["vocabulary"]
    patches = (ENCODER["image_size"] // ENCODER["patch_size"]) ** 2
    weights = {"0.weight": random(mlp, features), "0.bias": random(mlp), "2.weight": random(mlp, mlp),
               "2.bias": random(mlp), "3.weight": random(vocabulary, mlp), "3.bias": random(vocabulary)}
    projector = script.projector(weights)
    inputs = torch.randn(patches, features)
    for llm in DECODERS:
        hidden = DECODERS[llm]["hidden_size"]
        matrix, result = random(vocabulary, hidden), torch.empty(patches, hidden)
        weight, bias = fold(weights, matrix)
        layers = [weights["0.weight"], weight.to(dtype)], [weights["0.bias"], bias.to(dtype)]

        def unfolded():
            x = script.latent(projector, inputs, matrix)
            x = torch.nn.functional.linear(x, weights["3.weight"], weights["3.bias"]) @ matrix
            result.copy_(x)

        unfolded_ms = median_ms(unfolded, device, 20)
        ms = median_ms(lambda: script.mlp(*layers, inputs, result), device, 20)
        report("time", f"adapter for {llm}, folded", ms, unfolded=unfolded_ms,
               of_bound=2 * patches * mlp * (features + hidden) / flops / ms)
        report("time", f"adapter for {llm}, softmax",
               median_ms(lambda: script.softmax(projector, matrix, inputs, result), device, 20))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", type=Path)
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--parity-only", action="store_true")
    parser.add_argument("--small", action="store_true", help="timings at small shapes: whether they run")
    options = parser.parse_args()
    if options.small:
        shrink()
    device = options.device
    # Otherwise convolutions in float32 round their factors to 10 bits.
    torch.backends.cudnn.allow_tf32 = False
    name = torch.cuda.get_device_name() if device.startswith("cuda") else "CPU"
    out = options.out.open("a") if options.out else None
    failed = []
    timed = {}

    def report(kind, what, value, **more):
        line = dict(kind=kind, what=what, value=value, torch=torch.__version__, device=name, **more)
        if kind == "time":
            timed[what] = line
        print(json.dumps(line), flush=True)
        if out:
            out.write(json.dumps(line) + "\n")
            out.flush()

    with torch.inference_mode():
        for dtype, limit in LIMITS.items():
            def parity(kind, what, value):
                good = value <= limit
                report(kind, what, value, dtype=str(dtype), limit=limit, good=good)
                if not good:
                    failed.append(what)

            parity_vision(options.archives, options.fixtures, device, dtype, parity)
            parity_adapter(options.archives, options.fixtures, device, dtype, parity)
            parity_decoders(options.archives, options.fixtures, device, dtype, parity)
        if not options.parity_only:
            dtype = torch.bfloat16
            bandwidth, flops = bounds(device, dtype)
            report("bound", "reading memory, GB/s", bandwidth / 1e6)
            report("bound", "bfloat16 product, TFLOP/s", flops / 1e9)
            time_vision(options.archives, device, dtype, report, flops)
            time_adapter(options.archives, device, dtype, report, flops)
            for decoder in DECODERS:
                time_decoder(decoder, options.archives, device, dtype, report, bandwidth, flops)
            for what, beside, least in GOALS:
                line = timed[what]
                given = line.get(beside)
                if given is not None:
                    reached = given if beside == "of_bound" else given / line["value"]
                    report("goal", f"{what}, {beside}", reached, least=least, good=reached >= least)
    if failed:
        sys.exit(f"{len(failed)} beyond their limits: {', '.join(failed)}")


if __name__ == "__main__":
    main()

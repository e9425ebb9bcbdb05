package io.langbridge;

import io.langbridge.spi.ModelLoader;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions about pictures, in this process, on this machine.
 *
 * <pre>{@code
 * try (VisionLanguageModel model = VisionLanguageModel.builder()
 *         .encoder(Encoder.of(Path.of("clip-vit-large-patch14-336")))
 *         .adapter(Adapter.langBridge(Path.of("langbridge-qwen2-0.5b")))
 *         .llm(Llm.of(Path.of("Qwen2-0.5B-Instruct")))
 *         .build()) {
 *     System.out.println(model.ask(Image.of(Path.of("street.jpg")), "What is parked on the left?").text());
 * }
 * }</pre>
 *
 * <p>Loading takes seconds and memory; load once, share, close at the end. Safe for use by several threads; each
 * request has its own KV cache. Not meant to be implemented by users.
 *
 * <p>Work is done by a few daemon threads of the model, which end with it; the thread that asks waits. So a virtual
 * thread that asks parks, and callers of any pool, also of {@code ForkJoinPool.commonPool()}, may ask.
 *
 * @since 0.1
 */
public interface VisionLanguageModel extends AutoCloseable {
    /**
     * Starts the description of a model made of parts.
     *
     * @return a builder
     */
    static Builder builder() {
        return new Builder();
    }

    /**
     * Opens a folder that holds everything, of a family that is read, as transformers or its authors publish it.
     *
     * @param folder the Hugging Face folder
     * @return the model, ready to be asked; the caller closes it
     * @throws CheckpointException if a file is missing, damaged or does not fit the others
     * @throws UnsupportedModelException if the architecture is not supported; the message lists what is
     * @throws InsufficientMemoryException if it would not fit into memory
     * @throws RuntimeUnavailableException if no runtime is on the path
     */
    static VisionLanguageModel load(Path folder) {
        return builder().folder(folder).build();
    }

    /**
     * Answers one question about one picture with the checkpoint's own options.
     *
     * @param image the picture
     * @param question the question
     * @return the answer
     * @throws ImageException if the picture cannot be decoded
     * @throws PromptException if picture and question together are longer than the context
     */
    default Answer ask(Image image, String question) {
        return answer(Request.of(image, question));
    }

    /**
     * Answers one question about a picture that was encoded before.
     *
     * @param image made by {@link #encode}, by this model or by one with the same encoder
     * @param question the question
     * @return the answer
     */
    default Answer ask(EncodedImage image, String question) {
        return answer(Request.of(image, question));
    }

    /**
     * Answers a request. A thread that is interrupted meanwhile gets what was said until then, with
     * {@link FinishReason#CANCELLED}, and stays interrupted.
     *
     * @param request the conversation and the options
     * @return the answer
     * @throws ImageException if a picture cannot be decoded
     * @throws PromptException if the prompt is longer than the context
     * @throws BusyException if as many requests wait as {@link Builder#maxQueuedRequests} allows
     */
    default Answer answer(Request request) {
        try (AnswerStream stream = stream(request)) {
            return stream.answer();
        }
    }

    /**
     * Answers a request piece by piece. Returns at once; the work is done while the stream is iterated.
     *
     * @param request the conversation and the options
     * @return the answer to be; the caller closes it, which also cancels it
     */
    AnswerStream stream(Request request);

    /**
     * Answers a request and tells a listener, piece by piece. Returns at once; the time of a
     * {@link Request.Builder#timeout} runs from here, also while the executor is busy.
     *
     * <p>The answer takes one thread of the executor from its first piece to its end, which mostly waits: a pool as
     * large as {@link Builder#maxConcurrentRequests}, or virtual threads, suit it. An executor that runs its tasks in
     * the thread that hands them over makes this call last as long as the answer. An interrupt of the executor's thread
     * ends the answer. Where the executor drops the task without running it, the listener is told nothing.
     *
     * @param request the conversation and the options
     * @param executor runs the calls of the listener
     * @param listener is told every piece and how it ended
     * @return ends the answer; may be dropped
     * @throws IllegalStateException if the model is closed
     * @throws java.util.concurrent.RejectedExecutionException if the executor refuses; the listener is told nothing
     */
    default AnswerHandle stream(Request request, Executor executor, AnswerListener listener) {
        Objects.requireNonNull(executor, "executor");
        Objects.requireNonNull(listener, "listener");
        return PushedAnswer.push(stream(request), executor, listener);
    }

    /**
     * Answers a request in a thread of an executor, as {@link #stream(Request, Executor, AnswerListener)} does.
     *
     * @param request the conversation and the options
     * @param executor reads the answer, and runs what depends on it
     * @return the answer to be, or what {@link #answer} would throw. Cancelling it, or completing it in any other way,
     *     ends the generation as soon as what is being computed is done; cancelling a stage made of it does not. Never
     *     complete if the executor drops the task without running it
     * @throws IllegalStateException if the model is closed
     * @throws java.util.concurrent.RejectedExecutionException if the executor refuses
     */
    default CompletableFuture<Answer> answerAsync(Request request, Executor executor) {
        Objects.requireNonNull(executor, "executor");
        return PushedAnswer.promise(stream(request), executor);
    }

    /**
     * Answers many requests, as {@link #answerAll(Stream, int)} does: as many at a time as
     * {@link Builder#maxConcurrentRequests} allows, or 8 where there is no limit.
     *
     * @param requests what to ask
     * @return the answers, in the order of the requests; the caller closes it
     */
    default Stream<BatchAnswer> answerAll(Stream<Request> requests) {
        return answerAll(requests, BatchAnswers.AT_ONCE);
    }

    /**
     * Answers many requests, a few at a time, so that they share the model's work.
     *
     * <pre>{@code
     * try (Stream<Path> files = Files.list(folder);
     *         Stream<BatchAnswer> answers = model.answerAll(files.map(file -> Request.of(Image.of(file), "What is it?")))) {
     *     answers.forEach(one -> System.out.println(one.failure().isPresent() ? one.failure().get() : one.answer().text()));
     * }
     * }</pre>
     *
     * <p>Lazy, and of any length: requests are read while answers are, at most twice as many as are answered at a time
     * before the first of them is taken, by the thread that takes them. A request that fails does not end the others;
     * what its request would have thrown is in its place. Where others ask this model too,
     * {@link Builder#maxQueuedRequests} may let one fail with {@link BusyException}. A thread that is interrupted gets
     * the rest with {@link FinishReason#CANCELLED}, as from {@link #answer(Request)}. Taking them in parallel is no
     * faster.
     *
     * @param requests what to ask; closed with the answers
     * @param atOnce how many to answer at a time, at least 1
     * @return the answers, in the order of the requests. The caller closes it, which cancels what runs; who takes all
     *     need not. Taking one throws {@link IllegalStateException} if the model is closed before all requests were
     *     read
     */
    default Stream<BatchAnswer> answerAll(Stream<Request> requests, int atOnce) {
        return BatchAnswers.of(this, requests, atOnce);
    }

    /**
     * Says how likely each of some answers to a question about a picture is, as {@link #choose(Request, List)} does.
     *
     * @param image the picture
     * @param question the question; it should name the labels, as models are used to
     * @param labels the answers
     * @return their probabilities
     */
    default Choice choose(Image image, String question, List<String> labels) {
        return choose(Request.of(image, question), labels);
    }

    /**
     * Says how likely each of some answers to a question about a picture that was encoded before is, as
     * {@link #choose(Request, List)} does.
     *
     * @param image made by {@link #encode}, by this model or by one with the same encoder
     * @param question the question; it should name the labels, as models are used to
     * @param labels the answers
     * @return their probabilities
     */
    default Choice choose(EncodedImage image, String question, List<String> labels) {
        return choose(Request.of(image, question), labels);
    }

    /**
     * Says how likely each of some answers is, without drawing one. The probability of a label is that of its tokens,
     * as the tokenizer writes it, and of the end of the turn, at temperature 1 without penalties; of the request's
     * options only the stop tokens and the timeout have an effect, and a model that can think is asked not to. The
     * prompt runs once, and each label from its end.
     *
     * @param request the conversation
     * @param labels the answers, at least one, none empty, none twice
     * @return their probabilities
     * @throws IllegalArgumentException if the labels are not as said
     * @throws AnswerException if the time was over, the thread was interrupted or the model closed before the end
     * @throws ImageException if a picture cannot be decoded
     * @throws PromptException if the prompt and the longest label are longer than the context
     * @throws BusyException if as many requests wait as {@link Builder#maxQueuedRequests} allows
     */
    Choice choose(Request request, List<String> labels);

    /**
     * Runs the encoder alone, so that several questions about one picture pay for it once.
     *
     * @param image the picture
     * @return the picture's features
     */
    EncodedImage encode(Image image);

    /**
     * Says which words each patch of a picture is made of, or is near to. A tile of CLIP-L/14-336 takes about a second
     * on two cores. The first call of a LangBridge model opens the projector that the model itself does without; it
     * then stays in memory, 520 MB at the published size in float32.
     *
     * @param image made by {@link #encode}, by this model or by one with the same encoder
     * @param options what to show
     * @return the words of the patches and of the picture
     * @throws UnsupportedModelException if coefficients are asked for and the adapter is not made of words, as only
     *     LangBridge adapters are
     * @throws CheckpointException if the adapter has no shared vocabulary file that names its words
     * @throws PromptException if a word asked for is not in the vocabulary
     */
    Explanation explain(EncodedImage image, ExplainOptions options);

    /**
     * Starts a conversation with the checkpoint's own options and no system message.
     *
     * @return the conversation; the caller closes it
     */
    default Chat chat() {
        return chat(null, GenerationOptions.defaults());
    }

    /**
     * Starts a conversation.
     *
     * @param system instructions for the whole conversation, or null for the chat template's default
     * @param options how to generate
     * @return the conversation; the caller closes it
     */
    Chat chat(@Nullable String system, GenerationOptions options);

    /**
     * What this model can do because its adapter is LangBridge.
     *
     * @return empty with another adapter
     */
    Optional<LangBridgeModel> langBridge();

    /** {@return most positions that prompt and answer may have together} */
    int contextLength();

    /**
     * What a picture of such a size costs of the context, before it is shown; see {@link Builder#maxVisualTokens}.
     *
     * @param width of the upright picture in pixels
     * @param height of the upright picture in pixels
     * @return visual tokens, without the marks that some models have between them
     * @throws IllegalArgumentException if a side is not positive
     * @throws ImageException if the model takes no picture of this shape
     */
    int visualTokenCount(int width, int height);

    /**
     * Cancels what runs, waits for it to end, and frees everything. Idempotent. Later calls of the other methods throw
     * {@link IllegalStateException}.
     */
    @Override
    void close();

    /**
     * Describes a model; {@link #build()} checks and loads it. Each setter checks its value at once, and the last call
     * wins. Not thread-safe.
     */
    final class Builder {
        private final Settings settings = new Settings();

        private Builder() {}

        /**
         * The vision encoder.
         *
         * @param encoder the encoder
         * @return this builder
         */
        public Builder encoder(Encoder encoder) {
            settings.encoder = Objects.requireNonNull(encoder, "encoder");
            return this;
        }

        /**
         * The adapter between them.
         *
         * @param adapter the adapter
         * @return this builder
         */
        public Builder adapter(Adapter adapter) {
            settings.adapter = Objects.requireNonNull(adapter, "adapter");
            return this;
        }

        /**
         * The language model.
         *
         * @param llm the language model
         * @return this builder
         */
        public Builder llm(Llm llm) {
            settings.llm = Objects.requireNonNull(llm, "llm");
            return this;
        }

        /**
         * A folder that holds all three parts, instead of naming them. Where its configuration names an encoder that is
         * not in it, as LLaVA's do, {@link #encoder} says where that is.
         *
         * @param folder see {@link VisionLanguageModel#load}
         * @return this builder
         */
        public Builder folder(Path folder) {
            settings.folder = Objects.requireNonNull(folder, "folder");
            return this;
        }

        /**
         * How questions are put to the language model, in place of the chat template of its folder: a Jinja template as
         * transformers runs it, or the name of a conversation form that LLaVA's authors keep in their code,
         * {@code vicuna_v1}, {@code llava_v1}, {@code mistral_instruct}, {@code chatml_direct}, {@code llava_llama_2},
         * {@code llava_llama_3} or {@code plain}. Without it a LLaVA model of theirs gets the form that they choose for
         * its name. Holds for the language model that the model is built with, not for others put in its place later.
         *
         * @param chatTemplate what {@code chat_template.jinja} has in it, or such a name
         * @return this builder
         */
        public Builder chatTemplate(String chatTemplate) {
            settings.chatTemplate = Settings.requireTemplate(Objects.requireNonNull(chatTemplate, "chatTemplate"));
            return this;
        }

        /**
         * Computing threads; default is the number of processors, at most 8.
         *
         * @param threads at least 1
         * @return this builder
         */
        public Builder threads(int threads) {
            if (threads < 1) {
                throw new IllegalArgumentException("threads must be at least 1, not " + threads);
            }
            settings.threads = threads;
            return this;
        }

        /**
         * Whether idle computing threads burn processor time waiting for work. Faster on a machine that does nothing
         * else, slower beside busy neighbours; default false, which with ONNX Runtime is to wait for microseconds only.
         *
         * @param spinning true to spin
         * @return this builder
         */
        public Builder spinning(boolean spinning) {
            settings.spinning = spinning;
            return this;
        }

        /**
         * Most positions that prompt and answer may have together; default is the language model's own limit, at most
         * 4096. The KV cache of each running request is as long as its prompt and answer need, at most this.
         *
         * @param contextLength at least 1
         * @return this builder
         */
        public Builder contextLength(int contextLength) {
            if (contextLength < 1) {
                throw new IllegalArgumentException("contextLength must be at least 1, not " + contextLength);
            }
            settings.contextLength = contextLength;
            return this;
        }

        /**
         * Most visual tokens that a picture becomes, in place of the model's own limit: fewer save time and room in the
         * context, more show finer detail. SmolVLM and Idefics3 resize to a smaller longest edge then, Qwen's models to
         * fewer pixels ({@code max_pixels}); a picture much longer than wide may have some more. Gemma 4 knows 70, 140,
         * 280, 560 and 1,120, of which the largest is taken that is no more. InternVL takes as many tiles as that
         * allows, and LLaVA with dynamic resolution the best of its grids that have no more. Other models give every
         * picture as many as they do, which {@code build()} says.
         *
         * @param maxVisualTokens at least 1
         * @return this builder
         */
        public Builder maxVisualTokens(int maxVisualTokens) {
            if (maxVisualTokens < 1) {
                throw new IllegalArgumentException("maxVisualTokens must be at least 1, not " + maxVisualTokens);
            }
            settings.maxVisualTokens = maxVisualTokens;
            return this;
        }

        /**
         * Where converted weights, and the natives of PyTorch, are kept between starts; default is {@code langbridge}
         * in the user's cache folder. Made for its owner alone; in a folder that others may write to, a private one is
         * made. One that belongs to another user is refused when the model is built.
         *
         * @param cacheDirectory made if it does not exist
         * @return this builder
         */
        public Builder cacheDirectory(Path cacheDirectory) {
            settings.cacheDirectory = Objects.requireNonNull(cacheDirectory, "cacheDirectory");
            return this;
        }

        /**
         * Bytes that converted weights may have together in the cache directory. Whenever some are added, those that
         * were not used for longest go; those that open models were loaded from stay where the disk has locks, in this
         * process and in others, even where they are more. Default is no limit.
         *
         * @param bytes at least 1
         * @return this builder
         */
        public Builder cacheLimit(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("cacheLimit must be at least 1 byte, not " + bytes);
            }
            settings.cacheLimit = bytes;
            return this;
        }

        /**
         * Keeps nothing between starts: weights are converted anew each time, into a temporary folder that is deleted
         * when the model closes. For a home that cannot be written to; a start takes as long as the first one.
         *
         * @return this builder
         */
        public Builder withoutCache() {
            settings.withoutCache = true;
            return this;
        }

        /**
         * The precision of all parts that do not set their own; default is {@link Precision#FULL}. With
         * {@link Precision#INT4} encoder and adapter have {@link Precision#INT8}, see {@link #encoderPrecision}.
         *
         * @param precision the precision
         * @return this builder
         */
        public Builder precision(Precision precision) {
            settings.precision = Objects.requireNonNull(precision, "precision");
            return this;
        }

        /**
         * The precision of encoder and adapter that do not set their own; default is that of {@link #precision}, with
         * {@link Precision#INT8} in place of {@link Precision#INT4}.
         *
         * @param precision the precision
         * @return this builder
         */
        public Builder encoderPrecision(Precision precision) {
            settings.encoderPrecision = Objects.requireNonNull(precision, "precision");
            return this;
        }

        /**
         * Whether the layers of a quantised language model are in memory twice, in the form that is fast for a prompt,
         * of 8 bits, and in the one that is fast for a token; default is true for {@link Precision#INT8} and false for
         * {@link Precision#INT4}. Without it {@code INT8} takes nearly half of the memory, starts sooner, and decodes a
         * fourth slower; with it {@code INT4} reads prompts as fast as {@code INT8}, for the memory of layers of 8 bits
         * more. {@link FitReport#memory} counts it. Full precision has one form.
         *
         * @param twoForms whether there are two
         * @return this builder
         */
        public Builder twoForms(boolean twoForms) {
            settings.twoForms = twoForms;
            return this;
        }

        /**
         * Most positions of a prompt that run through the language model at a time; default is 256. What a prompt needs
         * beside its KV cache grows with this and not with its length. The PyTorch engine takes at least 2,048 on CUDA.
         * An answer can be cancelled between two of them.
         *
         * @param positions at least 1
         * @return this builder
         */
        public Builder prefillChunk(int positions) {
            if (positions < 1) {
                throw new IllegalArgumentException("prefillChunk must be at least 1, not " + positions);
            }
            settings.prefillChunk = positions;
            return this;
        }

        /**
         * Whether the KV cache keeps 16 bits for a value instead of 32: half the memory, and a step takes a little
         * longer, the more the longer the context is; default false. The PyTorch engine keeps what it computes in, 32
         * bits on the CPU and 16 on CUDA.
         *
         * @param half true for float16
         * @return this builder
         */
        public Builder halfKvCache(boolean half) {
            settings.halfKvCache = half;
            return this;
        }

        /**
         * Processors that the computing threads stay on. The thread that runs a graph computes too and is not moved, so
         * there is one processor less than {@link #threads}. Default is what the operating system chooses, which is
         * best unless other programs are tied to processors as well. The PyTorch engine always leaves it to the system.
         *
         * @param processors as the operating system counts them, from 0
         * @return this builder
         */
        public Builder affinity(int... processors) {
            Objects.requireNonNull(processors, "processors");
            List<Integer> chosen = new ArrayList<>();
            for (int processor : processors) {
                if (processor < 0) {
                    throw new IllegalArgumentException("Processors are counted from 0; there is none " + processor);
                }
                chosen.add(processor);
            }
            settings.affinity = List.copyOf(chosen);
            return this;
        }

        /**
         * Most requests that are answered at a time; each has its own KV cache. Others wait, in the order in which they
         * came, until one ends; they can be cancelled, interrupted and time out there too. Default is no limit: then
         * nobody is refused, 16 make progress side by side, token by token, and those beyond wait in the same way, but
         * a stream that nobody has read for a second gives way to them until it is read again. A small number, 1 to 4,
         * answers most requests sooner when many come at once.
         *
         * <p>A request takes its place when it begins to run: {@code ask} and {@code answer} at once, a stream when its
         * first piece is asked for. It gives it back when it ends, is closed or is dropped, and when its time is over
         * though nobody reads. With a limit, do not ask from within the loop that reads a stream of the same model: the
         * question may wait for the stream. {@link VisionLanguageModel#encode} takes no place.
         *
         * @param requests at least 1
         * @return this builder
         */
        public Builder maxConcurrentRequests(int requests) {
            if (requests < 1) {
                throw new IllegalArgumentException("maxConcurrentRequests must be at least 1, not " + requests);
            }
            settings.maxConcurrentRequests = requests;
            return this;
        }

        /**
         * Most requests that wait for {@link #maxConcurrentRequests}; one more fails with {@link BusyException}.
         * Default is 64 for each that may run.
         *
         * @param requests 0 to refuse what cannot run at once
         * @return this builder
         */
        public Builder maxQueuedRequests(int requests) {
            if (requests < 0) {
                throw new IllegalArgumentException("maxQueuedRequests must be 0 or positive, not " + requests);
            }
            settings.maxQueuedRequests = requests;
            return this;
        }

        /**
         * How many KV caches stay when their requests have ended, so that a prompt that begins as an earlier one did,
         * with the same {@link EncodedImage} or the same words, runs only what is new; what was used longest ago goes
         * first. {@link FitReport#memoryNeeded()} counts so many of full {@link #contextLength}. Left open, up to 8 are
         * kept, and only as many as find room in the caches that are counted anyway: one of full length, or one for
         * each of {@link #maxConcurrentRequests}. A chat keeps its own. Layers that sum up what they have read go back
         * to the ends of pictures and turns only.
         *
         * @param prefixes 0 to keep none
         * @return this builder
         */
        public Builder keptPrefixes(int prefixes) {
            if (prefixes < 0) {
                throw new IllegalArgumentException("keptPrefixes must be 0 or positive, not " + prefixes);
            }
            settings.keptPrefixes = prefixes;
            return this;
        }

        /**
         * How many pictures stay encoded when nobody holds them, so that one of equal pixels is not encoded again,
         * whoever asks, and prompts about it share {@link #keptPrefixes}; what was used longest ago goes first. Default
         * is 0: then only those share anything of a picture who hold the same {@link EncodedImage}. Pictures are
         * compared by the SHA-256 of what the encoder reads of them, and how they are laid out.
         *
         * <p>Whoever may ask learns from the time to the first token, and from {@link Answer.Usage#cachedTokens},
         * whether somebody has asked about the same picture lately. Leave it off where callers who may not know that of
         * each other ask one model.
         *
         * @param images 0 to share none
         * @return this builder
         */
        public Builder sharedImages(int images) {
            if (images < 0) {
                throw new IllegalArgumentException("sharedImages must be 0 or positive, not " + images);
            }
            settings.sharedImages = images;
            return this;
        }

        /**
         * Adds somebody who is told what happens, for metrics and logs.
         *
         * @param listener may be called by several threads at a time
         * @return this builder
         */
        public Builder listener(ModelListener listener) {
            List<ModelListener> all = new ArrayList<>(settings.listeners);
            all.add(Objects.requireNonNull(listener, "listener"));
            settings.listeners = List.copyOf(all);
            return this;
        }

        /**
         * Memory that the process may need, as {@link FitReport#memoryNeeded()} tells it, checked before loading;
         * default is what the machine has available.
         *
         * @param bytes at least 1
         * @return this builder
         */
        public Builder memoryLimit(long bytes) {
            if (bytes < 1) {
                throw new IllegalArgumentException("memoryLimit must be at least 1 byte, not " + bytes);
            }
            settings.memoryLimit = bytes;
            return this;
        }

        /**
         * The engine to use, where several are on the path; default is the one that suits the device best. An engine
         * that cannot do what was asked for is an error, and no other takes its place.
         *
         * @param engine for example {@link EngineName#ONNX}
         * @return this builder
         */
        public Builder engine(EngineName engine) {
            settings.engine = Objects.requireNonNull(engine, "engine");
            return this;
        }

        /**
         * Where to compute; default is {@link Device#AUTO}: the first CUDA device if an engine on the path can use one,
         * the CPU otherwise. The log says which it became and why. Another device that is not there is an error.
         *
         * @param device for example {@code Device.cuda(0)}
         * @return this builder
         */
        public Builder device(Device device) {
            settings.device = Objects.requireNonNull(device, "device");
            return this;
        }

        /**
         * Whether an engine may download native libraries that are not on the path, as PyTorch's for CUDA, a few
         * gigabytes; default false: nothing ever connects.
         *
         * @param allowDownloads true to allow it
         * @return this builder
         */
        public Builder allowDownloads(boolean allowDownloads) {
            settings.allowDownloads = allowDownloads;
            return this;
        }

        /**
         * Checks that the parts fit, then loads them.
         *
         * @return the model, ready to be asked; the caller closes it
         * @throws IllegalStateException if a part is missing, adapter or language model were given beside a folder, or
         *     settings contradict each other
         * @throws CheckpointException if a file is missing, damaged or does not fit the others
         * @throws UnsupportedModelException if the architecture is not supported; the message lists what is
         * @throws InsufficientMemoryException if it would not fit into memory
         * @throws RuntimeUnavailableException if no runtime is on the path, or what is there cannot compute on the
         *     device or lacks its native libraries
         */
        public VisionLanguageModel build() {
            ModelSpec spec = spec();
            return Runtimes.loader().load(spec);
        }

        /**
         * Loads with a runtime of the caller's choice, in place of the one that is found on the path.
         *
         * @param runtime loads the model
         * @return as {@link #build()}
         */
        public VisionLanguageModel build(ModelLoader runtime) {
            Objects.requireNonNull(runtime, "runtime");
            return runtime.load(spec());
        }

        /**
         * Checks whether the parts fit, from their files alone: what {@link #build()} would refuse, and what it would
         * accept but a user should know. Loads no weights and needs no engine.
         *
         * @return the report
         * @throws IllegalStateException as {@link #build()} does
         * @throws RuntimeUnavailableException if no runtime is on the path
         */
        public FitReport check() {
            ModelSpec spec = spec();
            return Runtimes.loader().check(spec);
        }

        private ModelSpec spec() {
            Settings all = settings.copy();
            if (all.folder != null && (all.adapter != null || all.llm != null)) {
                throw new IllegalStateException(
                        "Give either folder(..), which holds all parts, or encoder(..), adapter(..) and llm(..)");
            }
            if (all.folder == null && (all.encoder == null || all.adapter == null || all.llm == null)) {
                throw new IllegalStateException(
                        "A model needs encoder(..), adapter(..) and llm(..), or folder(..); given: " + "encoder "
                                + all.encoder + ", adapter " + all.adapter + ", llm " + all.llm);
            }
            if (all.withoutCache && all.cacheDirectory != null) {
                throw new IllegalStateException("cacheDirectory(" + all.cacheDirectory
                        + ") and withoutCache() contradict each other: leave one of them out");
            }
            if (all.withoutCache && all.cacheLimit != null) {
                throw new IllegalStateException("cacheLimit(" + all.cacheLimit
                        + ") and withoutCache() contradict each other: leave one of them out");
            }
            if (all.maxQueuedRequests != null && all.maxConcurrentRequests == null) {
                throw new IllegalStateException("maxQueuedRequests(" + all.maxQueuedRequests
                        + ") needs maxConcurrentRequests(..); without a limit none is refused");
            }
            int tied = all.affinity.size();
            if (tied > 0 && (all.threads == null || tied != all.threads - 1)) {
                throw new IllegalStateException("affinity(..) names " + tied + " processors; it needs threads("
                        + (tied + 1) + "), not " + (all.threads == null ? "the default" : all.threads));
            }
            return all;
        }
    }
}

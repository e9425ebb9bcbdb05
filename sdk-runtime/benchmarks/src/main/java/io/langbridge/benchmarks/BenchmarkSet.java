package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.function.Consumer;

/** What can be asked for by name. Each runs in a process of its own, so that its peak memory is its own. */
enum BenchmarkSet {
    /** Decoding and resizing the picture; the vision encoder. */
    ENCODER,
    /** From features to visual tokens. */
    ADAPTER,
    /** Folding the adapter for a language model, and what that gains. */
    FOLD,
    /** Prefill and decoding, from embeddings. */
    DECODER,
    /** The same with longer and longer prompts. */
    CONTEXT,
    /** Decoding while one processor is taken by somebody else. */
    NEIGHBOUR,
    /** A whole answer, phase by phase, and a second question. */
    ANSWER,
    /** Which words the patches of a picture are made of, and near to. */
    EXPLAIN,
    /** From the start of the process to a model that is ready, without and with its cache. */
    LOAD,
    /** Opening a tokenizer, text to tokens and back. */
    TOKENIZER,
    /** Answers held to a schema: once for a vocabulary, once for a schema, and for every token. */
    CONSTRAIN,
    /** The small kernels, with JMH. */
    KERNELS,
    /** Whether memory stays flat over thousands of questions. */
    SOAK,
    /** Fifty who ask the bundled model at once, with time limits. */
    SERVICE,
    /** Several who decode at a time. */
    CONCURRENCY,
    /** Whether files that are killed, damaged, planted or taken away do harm. */
    DRILLS;

    /** Measures and hands over line by line. */
    void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        switch (this) {
            case ENCODER -> EncoderSet.run(setup, out);
            case ADAPTER -> AdapterSet.run(setup, out);
            case FOLD -> FoldSet.run(setup, out);
            case DECODER -> DecoderSet.run(setup, out);
            case CONTEXT -> DecoderSet.lengths(setup, out);
            case NEIGHBOUR -> DecoderSet.beside(setup, out);
            case ANSWER -> AnswerSet.run(setup, out);
            case EXPLAIN -> ExplainSet.run(setup, out);
            case LOAD -> LoadSet.run(setup, out);
            case TOKENIZER -> TokenizerSet.run(setup, out);
            case CONSTRAIN -> ConstrainSet.run(setup, out);
            case KERNELS -> KernelSet.run(setup, out);
            case SOAK -> SoakSet.run(setup, out);
            case SERVICE -> ServiceSet.run(setup, out);
            case CONCURRENCY -> ConcurrencySet.run(setup, out);
            case DRILLS -> DrillSet.run(setup, out);
        }
    }
}

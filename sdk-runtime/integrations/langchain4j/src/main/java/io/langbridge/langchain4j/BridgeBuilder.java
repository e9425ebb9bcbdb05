package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.langbridge.Image;
import io.langbridge.ImageLimits;
import io.langbridge.VisionLanguageModel;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What both kinds of models can be told. */
abstract class BridgeBuilder<B extends BridgeBuilder<B>> {
    private final VisionLanguageModel model;
    private final List<ChatModelListener> listeners = new ArrayList<>();
    private String modelName = "langbridge";
    private @Nullable ChatRequestParameters defaults;
    private @Nullable Function<URI, Image> imageFetcher;
    private ImageLimits imageLimits = ImageLimits.defaults();
    private boolean keepOrder;

    BridgeBuilder(VisionLanguageModel model) {
        this.model = model;
    }

    abstract B self();

    Bridge bridge() {
        return new Bridge(model, modelName, defaults, List.copyOf(listeners), imageFetcher, imageLimits, keepOrder);
    }

    /**
     * What responses and listeners call the model; default is {@code langbridge}. A request may name it and no other.
     *
     * @param modelName for example the name of the checkpoint
     * @return this builder
     * @throws IllegalArgumentException if it is blank
     */
    public B modelName(String modelName) {
        if (modelName.isBlank()) {
            throw new IllegalArgumentException("The name of a model must not be blank");
        }
        this.modelName = modelName;
        return self();
    }

    /**
     * Parameters of requests that do not set their own. What LangChain4j has no word for, such as a seed or a timeout,
     * is in {@link LangBridgeChatRequestParameters}.
     *
     * @param parameters checked by {@code build()}, which throws what a request with them would
     * @return this builder
     */
    public B defaultRequestParameters(ChatRequestParameters parameters) {
        this.defaults = Objects.requireNonNull(parameters, "parameters");
        return self();
    }

    /**
     * Adds listeners of LangChain4j.
     *
     * @param listeners are told of every request, in order
     * @return this builder
     */
    public B listeners(List<ChatModelListener> listeners) {
        this.listeners.addAll(listeners);
        return self();
    }

    /**
     * Who gets the pictures at addresses that are no {@code data:} ones. Without it {@code file:} addresses are read
     * and all others refused, so nothing is ever fetched from a network. With it every one of them is asked for here,
     * also {@code file:}: where addresses come from users, this is the place to say which are allowed.
     *
     * <pre>{@code
     * .imageFetcher(address -> {
     *     if (!"pictures.example.com".equals(address.getHost())) {
     *         throw new InvalidRequestException("No pictures from " + address.getHost());
     *     }
     *     return Image.of(fetch(address));
     * })
     * }</pre>
     *
     * @param fetcher called in the thread that answers, by several at a time; what it throws fails the request
     * @return this builder
     */
    public B imageFetcher(Function<URI, Image> fetcher) {
        this.imageFetcher = Objects.requireNonNull(fetcher, "fetcher");
        return self();
    }

    /**
     * What a picture may cost at most; default is {@link ImageLimits#defaults()}. Pictures of an
     * {@code imageFetcher(..)} have their own.
     *
     * @param limits for pictures as Base64, {@code data:} and {@code file:}
     * @return this builder
     */
    public B imageLimits(ImageLimits limits) {
        this.imageLimits = Objects.requireNonNull(limits, "limits");
        return self();
    }

    /**
     * Leaves texts and pictures of a user message in the order that they have there. By default pictures go first, as
     * in what most models were trained on.
     *
     * @return this builder
     */
    public B keepOrder() {
        this.keepOrder = true;
        return self();
    }
}

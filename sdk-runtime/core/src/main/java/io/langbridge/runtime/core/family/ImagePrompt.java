package io.langbridge.runtime.core.family;

/** How a picture's visual tokens get their place in the prompt. */
public sealed interface ImagePrompt {
    /**
     * The authors' layout: the text is cut at {@code <image>} (-200 in their ids), the pieces are tokenized separately,
     * and the visual tokens go between them.
     */
    record Splice() implements ImagePrompt {}

    /**
     * transformers: the placeholder is repeated once per visual token before tokenizing, and its embeddings are
     * replaced.
     *
     * @param tokenId {@code image_token_index} or {@code image_token_id}
     * @param token its text, {@code <image>} unless {@code processor_config.json} says otherwise
     * @param mark what a chat template writes for a picture
     * @param written what takes the place of the mark before tokenizing, with the token in it once
     */
    record Placeholder(int tokenId, String token, String mark, String written) implements ImagePrompt {
        /** The token itself is what a template writes. */
        public Placeholder(int tokenId, String token) {
            this(tokenId, token, token, token);
        }
    }
}

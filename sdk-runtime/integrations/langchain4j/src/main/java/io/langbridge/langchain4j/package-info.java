/**
 * A {@code VisionLanguageModel} as a model of LangChain4j: start at {@code LangBridgeChatModel} or, for answers that
 * come piece by piece, at {@code LangBridgeStreamingChatModel}.
 */
@NullMarked
package io.langbridge.langchain4j;

import org.jspecify.annotations.NullMarked;

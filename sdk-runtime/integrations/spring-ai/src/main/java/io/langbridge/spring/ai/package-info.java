/** A {@code VisionLanguageModel} as a model of Spring AI: start at {@code LangBridgeChatModel}. */
@NullMarked
package io.langbridge.spring.ai;

import org.jspecify.annotations.NullMarked;

/**
 * Trains adapters and language models on pictures. {@link io.langbridge.runtime.training.Training} is where to begin.
 */
@NullMarked
package io.langbridge.runtime.training;

import org.jspecify.annotations.NullMarked;

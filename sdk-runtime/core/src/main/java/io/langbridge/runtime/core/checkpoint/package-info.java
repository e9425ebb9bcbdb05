/**
 * Files of tensors and of settings, as they are on disk: safetensors, {@code torch.save}, JSON; the cache of converted
 * weights. What a tensor means is not known here. Uses {@code lifecycle}.
 */
@NullMarked
package io.langbridge.runtime.core.checkpoint;

import org.jspecify.annotations.NullMarked;

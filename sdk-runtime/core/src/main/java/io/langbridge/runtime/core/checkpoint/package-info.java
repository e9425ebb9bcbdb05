/** Reading of Hugging Face folders: safetensors, {@code torch.save} files and the JSON beside them. */
@NullMarked
package io.langbridge.runtime.core.checkpoint;

import org.jspecify.annotations.NullMarked;

/** Puts the parts together: loading, prompts, the generation loop. */
@NullMarked
package io.langbridge.runtime.core.model;

import org.jspecify.annotations.NullMarked;

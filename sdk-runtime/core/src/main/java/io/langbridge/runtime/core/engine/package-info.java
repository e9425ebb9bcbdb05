/** The border between this module and an engine: an engine supplies the three networks, nothing else. */
@NullMarked
package io.langbridge.runtime.core.engine;

import org.jspecify.annotations.NullMarked;

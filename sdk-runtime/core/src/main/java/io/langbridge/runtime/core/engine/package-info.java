/**
 * The border between this module and an engine: an engine interprets texts of {@code network} and runs decoders,
 * nothing else. No name of an engine, no file format.
 */
@NullMarked
package io.langbridge.runtime.core.engine;

import org.jspecify.annotations.NullMarked;

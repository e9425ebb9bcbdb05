/**
 * How the folders of each family of models are recognised and described: one class a family, listed in
 * {@code Families}, and what several of them read in the same way. Uses {@code network}, {@code image},
 * {@code vocabulary}; knows no engine.
 */
@NullMarked
package io.langbridge.runtime.core.family;

import org.jspecify.annotations.NullMarked;

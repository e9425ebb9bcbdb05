/**
 * From messages to ids: the chat template with users' words guarded in it, and the places of pictures. Uses
 * {@code text} and {@code family}; knows no engine.
 */
@NullMarked
package io.langbridge.runtime.core.prompt;

import org.jspecify.annotations.NullMarked;

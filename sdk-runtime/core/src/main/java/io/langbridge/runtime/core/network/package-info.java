/**
 * The networks, each written once as a text over blocks, and what they are configured by. An engine interprets a text;
 * so does {@link Inventory}. Nothing that runs, and no name of a file. Uses {@code checkpoint}.
 */
@NullMarked
package io.langbridge.runtime.core.network;

import org.jspecify.annotations.NullMarked;

/**
 * The networks, each written once as a text over blocks, and what they are configured by. An engine interprets a text;
 * so does {@link Inventory}. May use {@code checkpoint} and nothing else of this module.
 */
@NullMarked
package io.langbridge.runtime.core.network;

import org.jspecify.annotations.NullMarked;

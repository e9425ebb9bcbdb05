/** What a checkpoint says about its networks, as plain records. */
@NullMarked
package io.langbridge.runtime.core.config;

import org.jspecify.annotations.NullMarked;

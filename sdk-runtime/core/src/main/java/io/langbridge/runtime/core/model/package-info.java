/**
 * Puts the parts together and answers: loading, checking, requests and their life in a server. Uses all other rooms;
 * none uses it.
 */
@NullMarked
package io.langbridge.runtime.core.model;

import org.jspecify.annotations.NullMarked;

/** What runtimes and picture decoders implement. Applications need nothing from here. */
@NullMarked
package io.langbridge.spi;

import org.jspecify.annotations.NullMarked;

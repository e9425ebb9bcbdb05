package io.langbridge.runtime.core.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.zip.ZipException;

/** Why a file could not be read or written, in words for a message: Java's own are class names and bare paths. */
public final class Reason {
    private Reason() {}

    /** Words that follow a colon. */
    public static String of(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "access is denied";
        }
        if (e instanceof NoSuchFileException) {
            return "it is not there";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "something of this name is there already";
        }
        if (e instanceof NotDirectoryException) {
            return "it is not a folder";
        }
        if (e instanceof DirectoryNotEmptyException) {
            return "the folder is not empty";
        }
        if (e instanceof CharacterCodingException) {
            return "it is not UTF-8 text";
        }
        if (e instanceof EOFException) {
            return "it ends too early";
        }
        if (e instanceof ZipException) {
            return "its compressed data is damaged";
        }
        String words = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
        return words == null || words.isEmpty() ? "the system gives no reason" : words;
    }
}

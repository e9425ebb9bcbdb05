package io.langbridge.examples.viewer;

import io.langbridge.Answer;
import io.langbridge.AnswerListener;
import io.langbridge.AnswerStream;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.drawing.DesktopImage;
import io.langbridge.drawing.ExplanationDrawing;
import io.langbridge.hub.Hub;
import io.langbridge.runtime.demo.DemoModel;
import java.awt.BorderLayout;
import java.awt.EventQueue;
import java.awt.image.BufferedImage;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import javax.imageio.ImageIO;
import javax.swing.Box;
import javax.swing.ImageIcon;
import javax.swing.JButton;
import javax.swing.JFileChooser;
import javax.swing.JFrame;
import javax.swing.JLabel;
import javax.swing.JProgressBar;
import javax.swing.JScrollPane;
import javax.swing.JTextArea;
import javax.swing.JTextField;

/** A window: open a picture, ask about it, see which words its patches are made of. */
public final class Viewer {
    /** What the model has seen of a picture. */
    private record Seen(BufferedImage picture, Image image, EncodedImage encoded) {}

    /** All that takes time happens here; all fields belong to Swing's thread. */
    private final ExecutorService work = Executors.newSingleThreadExecutor();

    private final JFrame frame = new JFrame("LangBridge");
    private final JButton open = new JButton("Open…");
    private final JTextField question = new JTextField("Describe the picture.", 30);
    private final JButton ask = new JButton("Ask");
    private final JButton words = new JButton("Words");
    private final JLabel picture = new JLabel("Open a picture", JLabel.CENTER);
    private final JTextArea answer = new JTextArea(3, 40);
    private final JProgressBar progress = new JProgressBar();
    private VisionLanguageModel model;
    private Seen seen;

    private Viewer(String name) {
        Box bar = Box.createHorizontalBox();
        bar.add(open);
        bar.add(question);
        bar.add(ask);
        bar.add(words);
        answer.setLineWrap(true);
        answer.setWrapStyleWord(true);
        progress.setStringPainted(true);
        Box below = Box.createVerticalBox();
        below.add(new JScrollPane(answer));
        below.add(progress);
        frame.add(bar, BorderLayout.NORTH);
        frame.add(new JScrollPane(picture));
        frame.add(below, BorderLayout.SOUTH);
        frame.setSize(640, 740);
        frame.setDefaultCloseOperation(JFrame.EXIT_ON_CLOSE);
        frame.setVisible(true);
        open.addActionListener(event -> open());
        ask.addActionListener(event -> ask());
        question.addActionListener(event -> ask.doClick());
        words.addActionListener(event -> run(
                "Words",
                () -> ExplanationDrawing.of(model.explain(seen.encoded, ExplainOptions.defaults()), seen.image),
                drawing -> picture.setIcon(new ImageIcon(drawing.overlay()))));
        run("Loading", () -> load(name), loaded -> model = loaded);
    }

    /**
     * Shows the window.
     *
     * @param args a folder or a name on Hugging Face, or nothing for the bundled model
     */
    public static void main(String[] args) {
        EventQueue.invokeLater(() -> new Viewer(args.length == 0 ? null : args[0]));
    }

    private static VisionLanguageModel load(String name) {
        if (name != null) {
            Path folder = Path.of(name);
            return VisionLanguageModel.load(Files.isDirectory(folder) ? folder : Hub.get(name));
        }
        DemoModel demo = DemoModel.open(); // its files stay for as long as the model
        Runtime.getRuntime().addShutdownHook(new Thread(demo::close));
        return VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .build();
    }

    private void open() {
        JFileChooser chooser = new JFileChooser(new File("."));
        if (chooser.showOpenDialog(frame) == JFileChooser.APPROVE_OPTION) {
            File file = chooser.getSelectedFile();
            run("Looking at " + file.getName(), () -> look(file), now -> {
                seen = now;
                picture.setText(null);
                picture.setIcon(new ImageIcon(now.picture));
            });
        }
    }

    private Seen look(File file) throws Exception {
        BufferedImage read = ImageIO.read(file);
        if (read == null) {
            throw new IllegalArgumentException(file + " is no picture that Java's ImageIO reads");
        }
        Image image = DesktopImage.of(read);
        return new Seen(read, image, model.encode(image)); // encoded once, asked often
    }

    private void ask() {
        state("Answering", true);
        answer.setText("");
        model.stream(Request.of(seen.encoded, question.getText()), work, new AnswerListener() {
            @Override
            public void onPiece(AnswerStream.Piece piece) {
                EventQueue.invokeLater(() -> answer.append(piece.text()));
            }

            @Override
            public void onComplete(Answer whole) {
                EventQueue.invokeLater(() -> state(whole.usage().newTokens() + " tokens", false));
            }

            @Override
            public void onError(Throwable failure) {
                EventQueue.invokeLater(() -> failed(failure));
            }
        });
    }

    private <T> void run(String what, Callable<T> task, Consumer<T> then) {
        state(what, true);
        work.execute(() -> {
            try {
                T result = task.call();
                EventQueue.invokeLater(() -> {
                    then.accept(result);
                    state("", false);
                });
            } catch (Exception e) {
                EventQueue.invokeLater(() -> failed(e));
            }
        });
    }

    private void failed(Throwable failure) {
        answer.setText(failure.getMessage());
        state("", false);
    }

    private void state(String text, boolean busy) {
        progress.setString(text);
        progress.setIndeterminate(busy);
        open.setEnabled(!busy && model != null);
        ask.setEnabled(!busy && seen != null);
        words.setEnabled(!busy && seen != null && model.langBridge().isPresent());
    }
}

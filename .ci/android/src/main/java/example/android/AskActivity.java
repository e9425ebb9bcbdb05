package example.android;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.os.Bundle;
import android.widget.TextView;
import io.langbridge.Image;
import io.langbridge.LangBridgeException;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import java.io.File;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Asks about a photograph in the app's folder and shows the answer. */
public final class AskActivity extends Activity {
    /** Loading and answering take seconds: not on the thread that draws. */
    private final ExecutorService work = Executors.newSingleThreadExecutor();

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        TextView answer = new TextView(this);
        setContentView(answer);
        File files = getFilesDir();
        work.execute(() -> {
            String text = ask(files, "What is parked on the left?");
            runOnUiThread(() -> answer.setText(text));
        });
    }

    private static String ask(File files, String question) {
        try (VisionLanguageModel model = VisionLanguageModel.builder()
                .folder(new File(files, "SmolVLM2-500M-Video-Instruct").toPath())
                .precision(Precision.INT4)
                .contextLength(1536)
                .halfKvCache(true)
                .build()) {
            Bitmap photo = BitmapFactory.decodeFile(new File(files, "street.jpg").getPath());
            return model.ask(image(photo), question).text();
        } catch (LangBridgeException e) {
            return e.getMessage();
        }
    }

    private static Image image(Bitmap bitmap) {
        int width = bitmap.getWidth();
        int height = bitmap.getHeight();
        int[] argb = new int[width * height];
        bitmap.getPixels(argb, 0, width, 0, 0, width, height);
        return Image.ofArgb(argb, width, height);
    }

    @Override
    protected void onDestroy() {
        work.shutdownNow();
        super.onDestroy();
    }
}

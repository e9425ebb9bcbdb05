package io.langbridge.runtime.core.image;

import io.langbridge.Explanation;
import java.util.ArrayList;
import java.util.List;

/**
 * What becomes of a picture of one size: to what it is resized, which views of it the encoder sees, and where their
 * visual tokens stand in the prompt. Immutable.
 *
 * @param picture its size, upright
 * @param resizings sizes that it is resized to
 * @param views what the encoder sees, in the order of its results; all of the same size if it takes them as they are
 *     and does not read patches
 * @param layout order of the visual tokens
 */
public record PicturePlan(Size picture, List<Resizing> resizings, List<View> views, TokenLayout layout) {
    /** What a resizing starts from that does not start from another one. */
    public static final int PICTURE = -1;

    /**
     * A step of resizing.
     *
     * @param of index of the earlier step whose result is resized, or {@link #PICTURE}
     */
    public record Resizing(int of, Resampler.Job job) {
        /** All of the picture. */
        public static Resizing of(Size picture, Size size, Resampler.Filter filter) {
            return new Resizing(PICTURE, Resampler.Job.of(picture, size, filter));
        }
    }

    /**
     * A part of a resized picture, on black.
     *
     * @param resizing index of what it shows
     * @param size of the view
     * @param left column of the view where that begins; negative if some of it is cut off
     * @param top row of the view where that begins; negative if some of it is cut off
     * @param row among the views of a grid, from 0
     * @param column among the views of a grid, from 0
     */
    public record View(int resizing, Size size, int left, int top, int row, int column) {}

    public PicturePlan {
        resizings = new ArrayList<>(resizings);
        views = new ArrayList<>(views);
    }

    /**
     * What of the picture each view shows, in pixels of the picture. A view leaves the picture where that is padded or
     * a view is larger.
     */
    public List<Explanation.Area> areas() {
        List<Explanation.Area> areas = new ArrayList<>();
        for (View view : views) {
            double left = -view.left;
            double top = -view.top;
            double right = left + view.size.width();
            double bottom = top + view.size.height();
            for (int at = view.resizing; at != PICTURE; at = resizings.get(at).of) {
                Resampler.Job job = resizings.get(at).job;
                double x = (double) job.canvas().width() / job.size().width();
                double y = (double) job.canvas().height() / job.size().height();
                left = (left + job.cutLeft()) * x - job.left();
                top = (top + job.cutTop()) * y - job.top();
                right = (right + job.cutLeft()) * x - job.left();
                bottom = (bottom + job.cutTop()) * y - job.top();
            }
            areas.add(new Explanation.Area(left, top, right, bottom));
        }
        return areas;
    }
}

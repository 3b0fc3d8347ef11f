// What is wrong with this page, as a list of sentences. Evaluated in each page by `cargo book look`.
(async () => {
    // Scripts and fonts settle first: two frames after everything has arrived.
    await document.fonts.ready;
    for (let frame = 0; frame < 2; frame++) await new Promise(done => setTimeout(done, 0));

    const complaints = [];
    const root = document.documentElement;
    const words = element => (element.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40);
    const name = element => {
        const id = element.closest("[id]");
        const tag = element.tagName.toLowerCase();
        return `<${tag}${element.className && element.className.baseVal === undefined ? "." + element.className.trim().split(/\s+/).join(".") : ""}>${id ? " at #" + id.id : ""}`;
    };

    // Pictures.
    for (const image of document.images) {
        if (image.complete && image.naturalWidth === 0) complaints.push(`a picture is missing: ${image.getAttribute("src")}`);
        if (!image.hasAttribute("alt")) complaints.push(`a picture has no words for those who cannot see it: ${image.getAttribute("src")}`);
    }

    // Sideways scrolling: of the page, or what is cut off because something hides it.
    const width = root.clientWidth;
    if (document.scrollingElement.scrollWidth > width) {
        complaints.push(`the page is ${document.scrollingElement.scrollWidth - width} pixels too wide`);
    }
    const main = document.querySelector("main") || document.body;
    const scrolls = element => /auto|scroll/.test(getComputedStyle(element).overflowX);
    const inside = element => {
        for (let up = element.parentElement; up && up !== main; up = up.parentElement) if (scrolls(up)) return true;
        return false;
    };
    for (const element of main.querySelectorAll("*")) {
        const box = element.getBoundingClientRect();
        if (box.width > 0 && box.right > width + 1 && !inside(element)) {
            complaints.push(`${name(element)} ends ${Math.round(box.right - width)} pixels beyond the page: ${words(element)}`);
            break;
        }
    }

    // The text of drawings: there, large enough, dark enough, inside, and not on top of other text.
    const channels = color => {
        const numbers = (color.match(/[\d.]+/g) || []).map(Number);
        const unit = color.startsWith("color(") ? 255 : 1;
        return { rgb: numbers.slice(0, 3).map(n => n * unit), alpha: numbers.length > 3 ? numbers[3] : 1 };
    };
    const behind = element => {
        for (let up = element; up; up = up.parentElement) {
            const found = channels(getComputedStyle(up).backgroundColor);
            if (found.alpha > 0.99) return found.rgb;
        }
        return [255, 255, 255];
    };
    const light = rgb => {
        const [r, g, b] = rgb.map(n => n / 255).map(n => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    for (const drawing of document.querySelectorAll("figure svg")) {
        const figure = drawing.closest("figure").id || "a figure";
        const frame = drawing.getBoundingClientRect();
        if (frame.width === 0) continue;
        const scale = frame.width / drawing.viewBox.baseVal.width;
        const paper = behind(drawing.parentElement);
        const texts = [...drawing.querySelectorAll("text")];
        if (texts.length === 0) complaints.push(`#${figure} has no text`);
        if (!drawing.querySelector("title")?.textContent) complaints.push(`#${figure} has no title`);
        const boxes = [];
        for (const text of texts) {
            const style = getComputedStyle(text);
            const size = parseFloat(style.fontSize) * scale;
            if (size < 8.5) complaints.push(`#${figure}: "${words(text)}" is only ${size.toFixed(1)} pixels high`);
            const ink = channels(style.fill);
            const opacity = ink.alpha * parseFloat(style.fillOpacity) * parseFloat(style.opacity);
            const seen = ink.rgb.map((n, index) => n * opacity + paper[index] * (1 - opacity));
            const ratio = contrast(seen, paper);
            if (ratio < 3) complaints.push(`#${figure}: "${words(text)}" is too faint, ${ratio.toFixed(1)} to 1`);
            const box = text.getBoundingClientRect();
            // The box of a text is a little higher than its letters.
            const inner = { left: box.left + 1, right: box.right - 1, top: box.top + box.height * 0.22, bottom: box.bottom - box.height * 0.22 };
            if (inner.left < frame.left - 2 || inner.right > frame.right + 2) complaints.push(`#${figure}: "${words(text)}" is cut off`);
            for (const other of boxes) {
                const apart = inner.right <= other.left || other.right <= inner.left || inner.bottom <= other.top || other.bottom <= inner.top;
                if (!apart) complaints.push(`#${figure}: "${words(text)}" lies on "${other.words}"`);
            }
            boxes.push({ ...inner, words: words(text) });
        }
    }
    return complaints;
})()

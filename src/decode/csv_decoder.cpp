// Separated values. Text is cut into chunks; the separators of a chunk are found by vector code, then rows are read off
// their positions. Chunks with a quote in them, and lines longer than a chunk, go through CsvRecordReader.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/log.hpp"
#include "decode/csv_columns.hpp"
#include "decode/csv_header.hpp"
#include "decode/csv_index.hpp"
#include "decode/csv_record.hpp"
#include "decode/csv_rows.hpp"
#include "decode/formats.hpp"
#include "decode/lines.hpp"
#include "decode/padded_text.hpp"
#include "decode/reading_writer.hpp"

namespace weir::decode {
namespace {

// The positions of a chunk (32 KiB at most) stay in the first-level cache.
constexpr std::size_t kChunk = 8U * 1024U;
// What a rare long line took is not kept.
constexpr std::size_t kKeptText = std::size_t{1} << 20U;

CsvDialect dialect_of(const spec::Format& format) {
  CsvDialect dialect;
  dialect.blanks = format.separator == " ";
  dialect.separator = format.separator.empty() ? ',' : format.separator.front();
  dialect.comment = format.comment;
  return dialect;
}

/// "sep=;", which spreadsheets take from, and some put into, the first line of a file.
bool names_separator(std::string_view line) noexcept {
  return line.size() == 5 && (line.starts_with("sep=") || line.starts_with("SEP="));
}

class CsvDecoder final : public Decoder {
 public:
  /// @param look nullptr, or where to put mistakes instead of into the log
  CsvDecoder(const spec::Stream& stream, const spec::Source& source, CsvOutlook* look = nullptr)
      : writer_(stream, source, true),
        format_(source.format),
        dialect_(dialect_of(source.format)),
        look_(look),
        lines_(line_oriented(source)),
        columns_(stream, writer_),
        name_(source.path.empty() ? "a message" : fmt::format("'{}'", source.path)),
        records_(dialect_),
        positions_(kChunk + 64),
        values_(writer_.slots()),
        tuple_(stream.schema.keys.size()) {
    if (!format_.columns.empty()) {
      resolve({format_.columns.begin(), format_.columns.end()}, {}, 0);
    }
    header_next_ = format_.columns.empty();
    skip_ = format_.skip;
  }

  void read(const batch::MessageView& message, batch::RowWriter& rows) override {
    writer_.begin_message(message, rows);
    std::string_view payload = message.payload;
    if (message.starts_file) {
      finish(rows);
      header_next_ = format_.columns.empty() || format_.header;
      skip_ = format_.skip + (header_next_ ? 0 : format_.skip_after_header);
      lines_read_ = 0;
    }
    if (message.starts_file || !lines_) {
      payload = without_byte_order_mark(payload);
    }
    text_.assign(held_back_, payload);
    held_back_.clear();
    if (!text_.view().empty() && text_.view().back() != '\n') {
      text_.push_back('\n');
    }
    read(text_.view(), !lines_, rows);
    text_.release_above(kKeptText);
  }

  void finish(batch::RowWriter& rows) override {
    if (!held_back_.empty()) {
      text_.assign(held_back_);
      held_back_.clear();
      read(text_.view(), true, rows);
    }
  }

  /// @brief What the rows so far tell about their header, for whoever looks.
  void look_at_rows() {
    if (look_ != nullptr && usable_ && misfits_ > 0 && begins_with_row_name()) {
      look_->row_names = {fmt::format("stream '{}', {}: every row has {} cells, but the header has {} names",
                                      writer_.stream().name, name_, columns_.named() + 1, columns_.named()),
                          fmt::format("if each row begins with a number or name for which the header has none, as R "
                                      "writes it: columns = {}, header = true",
                                      row_name_hint_)};
    }
  }

  [[nodiscard]] bool holds_back() const noexcept override { return !held_back_.empty(); }

  void save(std::string& state) const override { state = writer_.saved_order() + header_; }

  void load(std::string_view state) override {
    writer_.load_order(state);
    if (state.empty()) {
      skip_ = format_.columns.empty() ? skip_ : 0;  // without a header the source has not begun
      return;
    }
    skip_ = 0;
    header_ = state;
    header_next_ = false;
    std::vector<std::string_view> names;
    for (std::string_view rest = state; !rest.empty();) {
      std::size_t size = 0;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
      rest.remove_prefix(std::min<std::size_t>(static_cast<std::size_t>(end - rest.data()) + 1, rest.size()));
      if (error != std::errc() || size > rest.size()) {
        throw Error("the saved header of a CSV source is damaged");
      }
      names.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    resolve(names, {}, 0);
  }

 private:
  /// @param header, number the line that the names are from, if they are from one
  void resolve(const std::vector<std::string_view>& names, std::string_view header, std::uint64_t number) {
    const std::vector<std::string> missing = columns_.resolve(names);
    usable_ = missing.empty();
    if (!usable_) {
      report_missing(missing_columns(missing, names, header, format_), number);
    }
    row_name_hint_.clear();
    if (number != 0) {
      row_name_hint_ = columns_with_row_name(names);
    }
    cells_.resize(kRowsAhead * std::min(columns_.needed(), kWidestAhead));
  }

  [[nodiscard]] std::string place(std::uint64_t number) const {
    return number == 0 ? name_ : fmt::format("{}, line {}", name_, number);
  }

  void report_missing(CsvMistake mistake, std::uint64_t number) {
    if (look_ != nullptr) {
      mistake.text = fmt::format("stream '{}', {}: {}", writer_.stream().name, place(number), mistake.text);
      look_->missing = std::move(mistake);
      return;
    }
    log::error("stream '{}', {}: {}; every row is refused{}", writer_.stream().name, place(number), mistake.text,
               mistake.hint.empty() ? "" : fmt::format(" ({})", mistake.hint));
  }

  /// A row has a cell for each name. Empty cells behind them are common and harmless.
  [[nodiscard]] bool fits(std::size_t found, std::string_view line) const noexcept {
    if (found <= columns_.named()) {
      return found == columns_.named();
    }
    if (dialect_.blanks) {
      return false;
    }
    std::size_t empty = 0;
    for (; !line.empty() && (line.back() == dialect_.separator || dialect_.is_blank(line.back()));
         line.remove_suffix(1)) {
      empty += line.back() == dialect_.separator ? 1U : 0U;
    }
    return empty >= found - columns_.named();
  }

  /// The first row that does not fit is shown; all are counted.
  void refuse_row(std::size_t found, std::uint64_t number, std::string_view line, batch::RowWriter& rows) {
    ++misfits_;
    all_one_more_ = all_one_more_ && found == columns_.named() + 1;
    if (usable_ && !misfit_shown_ && look_ == nullptr) {
      misfit_shown_ = true;
      log::put(any_fits_ ? log::Level::warning : log::Level::error,
               "stream '{}', {}: {} cells, but the {} {} names; such rows are refused (wrong_columns){}",
               writer_.stream().name, place(number), found,
               format_.columns.empty() ? "header has" : "list of columns has", columns_.named(),
               begins_with_row_name() ? fmt::format("; if each row begins with a number or name for which the header "
                                                    "has none, as R writes it: columns = {}, header = true",
                                                    row_name_hint_)
                                      : "");
    }
    rows.reject(batch::Malformed::wrong_columns, line);
  }

  /// Every row so far has one cell more than the header line.
  [[nodiscard]] bool begins_with_row_name() const noexcept {
    return !any_fits_ && all_one_more_ && !row_name_hint_.empty();
  }

  /// `text` is whole lines.
  void read(std::string_view text, bool complete, batch::RowWriter& rows) {
    std::size_t at = 0;
    while (at < text.size()) {
      if (skip_ > 0) {
        at = std::min(text.find('\n', at), text.size() - 1) + 1;
        --skip_;
        ++lines_read_;
        continue;
      }
      if (header_next_) {
        if (!read_record(text, at, complete, rows)) {
          return;
        }
        continue;
      }
      const std::size_t size = std::min(kChunk, text.size() - at);
      const char* const chunk = text.data() + at;
      const CsvIndex index = dialect_.blanks ? index_blanks(chunk, size, positions_.data())
                                             : index_separators(chunk, size, dialect_.separator, positions_.data());
      if (index.quotes || columns_.needed() > kWidestAhead) {
        for (const std::size_t end = at + size; at < end;) {
          if (!read_record(text, at, complete, rows)) {
            return;
          }
        }
        continue;
      }
      const std::size_t taken =
          dialect_.blanks ? read_rows<true>(chunk, index.count, rows) : read_rows<false>(chunk, index.count, rows);
      at += taken;
      if (taken == 0 && !read_record(text, at, complete, rows)) {
        return;
      }
    }
  }

  /// One record without positions; false when the rest of the text was held back.
  bool read_record(std::string_view text, std::size_t& at, bool complete, batch::RowWriter& rows) {
    std::size_t end = at;
    const CsvRecordReader::Status status = records_.read(text, at, complete, end);
    if (status == CsvRecordReader::Status::incomplete) {
      held_back_ = text.substr(at);
      return false;
    }
    std::string_view record = text.substr(at, end - at);
    at = end;
    const std::uint64_t number = lines_read_ + 1;
    lines_read_ += static_cast<std::uint64_t>(std::count(record.begin(), record.end(), '\n'));
    for (const char line_break : {'\n', '\r'}) {
      record.remove_suffix(record.ends_with(line_break) ? 1 : 0);
    }
    if (header_next_ && number == 1 && names_separator(record)) {
      return true;
    }
    const bool is_header = header_next_ && status != CsvRecordReader::Status::nothing;
    if (is_header) {
      header_next_ = false;
      skip_ = format_.skip_after_header;
      if (format_.columns.empty()) {
        header_.clear();
        for (const std::string_view name : records_.cells()) {
          // Each checkpoint holds it: of the columns that nobody wants, that they are there.
          const std::string_view kept = columns_.wants(name) ? name : std::string_view();
          header_.append(std::to_string(kept.size())).append(":").append(kept);
        }
        resolve(records_.cells(), record, number);
      }
    } else if (status == CsvRecordReader::Status::broken) {
      rows.reject(batch::Malformed::bad_payload, record);
    } else if (status == CsvRecordReader::Status::record) {
      write_record(records_.cells(), number, record, rows);
    }
    return true;
  }

  /// The rows that lie whole in the chunk; returns how many bytes they took. A row is written some rows after it was
  /// split, so that its key's place in the cache has arrived by then.
  template <bool kBlanks>
  std::size_t read_rows(const char* text, std::size_t count, batch::RowWriter& rows) {
    const std::size_t needed = columns_.needed();
    CsvRows<kBlanks> split(text, {positions_.data(), count}, dialect_);
    std::size_t read = 0;
    std::size_t written = 0;
    while (true) {
      const std::size_t slot = read % kRowsAhead;
      std::string_view* const cells = cells_.data() + slot * needed;
      if (!split.next(cells, needed)) {
        break;
      }
      Pending& pending = pending_[slot];
      pending.line = split.line();
      pending.found = split.found();
      pending.number = lines_read_ + split.lines();
      pending.usable = fits(pending.found, pending.line) && usable_;
      if (pending.usable) {
        const bool uncached = writer_.uncached() && columns_.keys(cells, tuple_);
        pending.key = uncached ? writer_.begin_lookup(tuple_) : writer_.prepare(columns_.key_bytes(cells));
      }
      ++read;
      if (read - written > kRowsAhead / 2) {
        const Pending& halfway = pending_[(read - kRowsAhead / 2) % kRowsAhead];
        if (halfway.usable && halfway.key.looked_up) {
          writer_.continue_lookup(halfway.key);
        }
      }
      if (read - written == kRowsAhead) {
        write(written++ % kRowsAhead, needed, rows);
      }
    }
    while (written != read) {
      write(written++ % kRowsAhead, needed, rows);
    }
    lines_read_ += split.lines();
    return split.taken();
  }

  void write(std::size_t slot, std::size_t needed, batch::RowWriter& rows) {
    const Pending& pending = pending_[slot];
    if (!pending.usable) [[unlikely]] {
      refuse_row(pending.found, pending.number, pending.line, rows);
      return;
    }
    any_fits_ = true;
    if (look_ != nullptr) [[unlikely]] {
      return;
    }
    columns_.fill(cells_.data() + slot * needed, values_);
    writer_.write(values_, pending.line, rows, pending.key);
  }

  void write_record(const std::vector<std::string_view>& cells, std::uint64_t number, std::string_view line,
                    batch::RowWriter& rows) {
    const auto behind = cells.begin() + static_cast<std::ptrdiff_t>(std::min(cells.size(), columns_.named()));
    const bool fit = cells.size() >= columns_.named() &&
                     std::all_of(behind, cells.end(), [](std::string_view cell) { return cell.empty(); });
    if (!fit || !usable_) {
      refuse_row(cells.size(), number, line, rows);
      return;
    }
    any_fits_ = true;
    if (look_ != nullptr) [[unlikely]] {
      return;
    }
    columns_.fill(cells.data(), values_);
    writer_.write(values_, line, rows);
  }

  /// A row that was split and waits to be written; its cells are in cells_.
  struct Pending {
    std::string_view line;
    std::size_t found = 0;     ///< cells
    std::uint64_t number = 0;  ///< of the line in its file
    bool usable = false;       ///< it has the columns
    KeyBytes key;
  };

  ReadingWriter writer_;
  const spec::Format& format_;
  const CsvDialect dialect_;
  CsvOutlook* const look_;
  const bool lines_;
  CsvColumns columns_;
  const std::string name_;  // of the source, for messages
  bool usable_ = true;      // every declared column exists
  bool any_fits_ = false;   // of the rows so far
  std::uint64_t misfits_ = 0;
  bool all_one_more_ = true;  // of the rows that did not fit
  bool misfit_shown_ = false;
  std::string row_name_hint_;  // `columns` with a name for it; empty: there is no header line
  bool header_next_ = false;   // the next record names the columns, or is skipped where they are declared
  std::uint32_t skip_ = 0;     // lines that are passed over before it, or before the next row
  CsvRecordReader records_;
  PaddedText text_;
  std::string header_;            // names of the columns as netstrings, where a header line gave them
  std::string held_back_;         // a quoted record whose end has not come yet
  std::uint64_t lines_read_ = 0;  // of the file; since the start, where reading goes on in its middle
  std::vector<std::uint32_t> positions_;
  std::vector<std::string_view> cells_;  // of the pending rows, needed() each
  std::array<Pending, kRowsAhead> pending_;
  std::vector<Token> values_;
  std::vector<std::string_view> tuple_;  // keys of the row that is split
};

}  // namespace

std::unique_ptr<Decoder> make_csv_decoder(const spec::Stream& stream, const spec::Source& source) {
  return std::make_unique<CsvDecoder>(stream, source);
}

CsvOutlook look_at_csv(const spec::Stream& stream, const spec::Source& source, const batch::MessageView& beginning) {
  struct Nobody final : batch::RowWriter::Owner {
    batch::Batch& batch_full(batch::Batch& full) override {
      full.clear();
      return full;
    }
    void malformed(batch::Malformed /*reason*/, std::string_view /*sample*/, std::string_view /*member*/) override {}
  };
  Nobody nobody;
  batch::KeyDictionary keys(stream.schema.keys.size(), 1);
  batch::Batch batch(stream.schema.fields.size(), 1);  // no row is written
  batch::RowWriter rows(keys, nobody);
  rows.attach(batch);
  rows.begin_message(0, 0, kLatest);
  CsvOutlook outlook;
  CsvDecoder decoder(stream, source, &outlook);
  decoder.decode(beginning, rows);
  decoder.look_at_rows();
  return outlook;
}

}  // namespace weir::decode

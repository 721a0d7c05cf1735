// JSON through simdjson's on-demand parser: one reading, an array of readings, lines and files of either
// (json_lines.hpp), or readings in an array inside the document. Where a path leads into a string, the JSON in it is
// read; where one chooses an element of an array that is the message, that array is one reading.
//
// What no key, field or time needs is skipped by its brackets only; its scalars are not looked at. Equal members: the
// last counts. A broken line or element costs only itself; where an array breaks off, what remains of it counts as
// one.
#include <simdjson.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "decode/formats.hpp"
#include "decode/json_array_path.hpp"
#include "decode/json_lines.hpp"
#include "decode/json_members.hpp"
#include "decode/lines.hpp"
#include "decode/padded_text.hpp"
#include "decode/reading_writer.hpp"

namespace weir::decode {
namespace {

namespace ondemand = simdjson::ondemand;
using batch::Malformed;

// More text, or a longer document, is released after its message.
constexpr std::size_t kKeptText = std::size_t{1} << 20U;
constexpr std::size_t kKeptDocument = std::size_t{256} << 10U;

/// Every path begins with an element's number: a reading is an array of values, as [1577836800, 21.5].
bool all_are_numbers(const JsonMember& members) {
  return !members.children.empty() && members.selection.empty() &&
         std::all_of(members.children.begin(), members.children.end(), [](const JsonMember& child) {
           return !child.name.empty() && child.name.find_first_not_of("0123456789") == std::string::npos;
         });
}

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const spec::Stream& stream, const spec::Source& source)
      : writer_(stream, source),
        lines_(line_oriented(source)),
        slots_(writer_.slots()),
        members_(json_members(stream, writer_, slots_)),
        array_is_reading_(!members_.selection.empty()),
        rows_are_arrays_(all_are_numbers(members_)),
        text_(PaddedText::kPadding + longest_name(members_)),
        array_path_(source.format.array_path, members_, slots_, text_.padding()),
        unquoted_(text_.padding()),
        json_lines_(text_, array_path_.empty() && !array_is_reading_, rows_are_arrays_,
                    array_path_.empty() ? kLongestReading : source.max_message),
        strings_(text_.padding()),
        values_(slots_) {}

  void read(const batch::MessageView& message, batch::RowWriter& rows) override {
    writer_.begin_message(message, rows);
    read(without_byte_order_mark(message.payload), message.starts_file, rows);
    release_large_memory();
  }

  void finish(batch::RowWriter& rows) override {
    Values values{*this, rows};
    json_lines_.finish(values);
  }
  [[nodiscard]] bool holds_back() const noexcept override { return json_lines_.holds_back(); }
  void save(std::string& state) const override {
    json_lines_.save(state);
    state.insert(0, writer_.saved_order());
  }
  void load(std::string_view state) override {
    writer_.load_order(state);
    json_lines_.load(state);
  }

 private:
  void read(std::string_view payload, bool starts_file, batch::RowWriter& rows) {
    Values values{*this, rows};
    if (lines_) {
      json_lines_.read(payload, starts_file, values);
      return;
    }
    text_.assign(payload);
    if (!begins_with_a_line(text_.view())) {
      document(text_.view(), rows);
      return;
    }
    for (std::size_t at = 0; at < text_.view().size();) {
      const std::string_view line = next_line(text_.view(), at);
      if (!trimmed(line).empty()) {
        document(line, rows);
      }
    }
  }

  /// What a rare large message took is not kept for the next one, by every source.
  void release_large_memory() {
    text_.release_above(kKeptText);
    unquoted_.release_above(kKeptDocument);
    strings_.release_above(kKeptDocument);
    array_path_.release_above(kKeptDocument);
    for (ondemand::parser* const parser : {&parser_, &element_parser_, &parser_of_array_}) {
      if (parser->capacity() > kKeptDocument) {
        *parser = ondemand::parser();
      }
    }
  }

  /// What JsonLines finds.
  struct Values {
    JsonDecoder& decoder;
    batch::RowWriter& rows;

    bool line(std::string_view text) {
      return (text.starts_with('{') || (text.starts_with('[') && decoder.is_one_reading(text))) &&
             (decoder.array_path_.empty() ? decoder.object(text, rows) : decoder.nested(text, rows));
    }
    void value(std::string_view text) { decoder.document(text, rows); }
    void damaged(std::string_view text) { rows.reject(Malformed::bad_payload, text); }
  };

  simdjson::error_code parse(ondemand::parser& parser, std::string_view text, ondemand::document& document) {
    // Every text lies in text_, whose padding follows its end.
    return parser.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING).get(document);
  }

  static bool at_end(ondemand::document& document) { return document.current_location().error() != simdjson::SUCCESS; }

  /// A payload of several lines is JSON lines if the first is a document by itself, and one document otherwise.
  bool begins_with_a_line(std::string_view payload) {
    std::size_t at = 0;
    std::string_view line;
    while (at < payload.size() && trimmed(line).empty()) {
      line = next_line(payload, at);
    }
    if (trimmed(payload.substr(at)).empty()) {
      return false;
    }
    ondemand::document document;
    std::string_view all;
    if (line.size() > kLongestReading) {
      const std::string_view whole = trimmed(line);
      return !whole.empty() && (whole.back() == '}' || whole.back() == ']');
    }
    return parse(parser_, line, document) == simdjson::SUCCESS && document.raw_json().get(all) == simdjson::SUCCESS &&
           at_end(document);
  }

  void document(std::string_view text, batch::RowWriter& rows) {
    if (const std::string_view inside = unquoted(text); !inside.empty()) {
      document_in_place(inside, rows);
    } else {
      document_in_place(text, rows);
    }
  }

  /// The document that a text is which is one JSON string, as gateways send it that encode what they got once more;
  /// empty for any other.
  std::string_view unquoted(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    ondemand::document document;
    std::string_view inside;
    if (first == std::string_view::npos || text[first] != '"' || text.size() > kLongestReading ||
        parse(parser_, text, document) != simdjson::SUCCESS || document.get_string().get(inside) != simdjson::SUCCESS ||
        !at_end(document)) {
      return {};
    }
    inside = trimmed(inside);
    if (!inside.starts_with('{') && !inside.starts_with('[')) {
      return {};
    }
    unquoted_.assign(inside);
    return unquoted_.view();
  }

  void document_in_place(std::string_view text, batch::RowWriter& rows) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (!array_path_.empty()) {
      if (!nested(text, rows)) {
        rows.reject(Malformed::bad_payload, text);
      }
    } else if (first != std::string_view::npos && text[first] == '[' && !is_one_reading(text.substr(first))) {
      readings(text, first, rows);
    } else if (text.size() > kLongestReading) {
      rows.reject(Malformed::too_large, text);
    } else if (!object(text, rows)) {
      rows.reject(Malformed::bad_payload, text);
    }
  }

  /// An array of readings that begins at `begin`. simdjson takes several times a text's size: a long array is cut into
  /// its elements first.
  void readings(std::string_view text, std::size_t begin, batch::RowWriter& rows) {
    if (text.size() <= kLongestReading) {
      elements(text, rows);
      return;
    }
    if (!trimmed(text).ends_with(']')) {
      rows.reject(Malformed::bad_payload, text);  // as simdjson does: it was cut off
      return;
    }
    for (std::size_t at = begin + 1; at < text.size();) {
      const std::size_t end = end_of_json_element(text, at);
      const std::string_view element = trimmed(text.substr(at, end - at));
      if (end == text.size()) {
        rows.reject(Malformed::bad_payload, element);
        return;
      }
      at = end + 1;
      if (element.size() > kLongestReading) {
        rows.reject(Malformed::too_large, element);
      } else if (!element.empty() || text[end] == ',') {
        single_element(element, rows);
      }
      if (text[end] == ']') {
        if (!trimmed(text.substr(at)).empty()) {
          rows.reject(Malformed::bad_payload, text.substr(at));
        }
        return;
      }
    }
  }

  void begin_reading() noexcept {
    std::fill(values_.begin(), values_.end(), Token{});
    strings_.clear();
  }

  /// One reading; false, and nothing was written, where the text is no object, or too long for one. An array is one
  /// where paths choose among its elements.
  bool object(std::string_view text, batch::RowWriter& rows) {
    begin_reading();
    ondemand::document document;
    if (text.size() > kLongestReading || parse(parser_, text, document) != simdjson::SUCCESS ||
        !read_root(document, trimmed(text).starts_with('[')) || !at_end(document)) {
      return false;
    }
    writer_.write(values_, text, rows);
    return true;
  }

  /// Whether an array is a reading and not several.
  [[nodiscard]] bool is_one_reading(std::string_view array) const noexcept {
    return array_is_reading_ || (rows_are_arrays_ && !trimmed(array.substr(1)).starts_with('['));
  }

  bool read_root(ondemand::document& document, bool is_array) {
    ondemand::object object;
    ondemand::array array;
    if (is_array && (array_is_reading_ || rows_are_arrays_)) {
      return document.get_array().get(array) == simdjson::SUCCESS && read_elements(array, members_, values_, strings_);
    }
    return document.get_object().get(object) == simdjson::SUCCESS && read_members(object, members_, values_, strings_);
  }

  /// An array of readings. Values that enclosing_ has are those of elements which lack them.
  void elements(std::string_view text, batch::RowWriter& rows) {
    ondemand::document document;
    ondemand::array array;
    if (parse(element_parser_, text, document) != simdjson::SUCCESS ||
        document.get_array().get(array) != simdjson::SUCCESS) {
      rows.reject(Malformed::bad_payload, text);
      return;
    }
    std::size_t done = 0;
    for (auto item : array) {
      ondemand::value element;
      ondemand::object object;
      if (item.get(element) != simdjson::SUCCESS) {
        elements_one_by_one(text, done, rows);
        return;
      }
      const char* const begin = element.raw_json_token().data();
      ondemand::json_type type{};
      std::string_view raw;
      if (element.type().get(type) != simdjson::SUCCESS) {
        elements_one_by_one(text, done, rows);
        return;
      }
      ondemand::array row;
      const bool is_row = type == ondemand::json_type::array && rows_are_arrays_;
      if (is_row ? element.get_array().get(row) != simdjson::SUCCESS
                 : type != ondemand::json_type::object || element.get_object().get(object) != simdjson::SUCCESS) {
        if (!skip_element(element, type, raw)) {
          elements_one_by_one(text, done, rows);
          return;
        }
        rows.reject(Malformed::bad_payload, raw);
        ++done;
        continue;
      }
      begin_reading();
      const char* end = nullptr;
      if (!(is_row ? read_elements(row, members_, values_, strings_)
                   : read_members(object, members_, values_, strings_)) ||
          document.current_location().get(end) != simdjson::SUCCESS) {
        elements_one_by_one(text, done, rows);
        return;
      }
      write_element({begin, static_cast<std::size_t>(end - begin)}, rows);
      ++done;
    }
    if (!at_end(document)) {
      rows.reject(Malformed::bad_payload, text);
    }
  }

  /// Goes on behind the first `done` elements after one of them turned out broken: each is cut out by its brackets and
  /// read by itself, so that it cannot take the others with it. An element reaches to where the next begins.
  void elements_one_by_one(std::string_view text, std::size_t done, batch::RowWriter& rows) {
    ondemand::document document;
    ondemand::array array;
    if (parse(parser_of_array_, text, document) != simdjson::SUCCESS ||
        document.get_array().get(array) != simdjson::SUCCESS) {
      rows.reject(Malformed::bad_payload, text);
      return;
    }
    std::size_t index = 0;
    std::size_t begin = 0;
    for (auto item : array) {
      ondemand::value element;
      ondemand::json_type type{};
      if (item.get(element) != simdjson::SUCCESS || element.type().get(type) != simdjson::SUCCESS) {
        rows.reject(Malformed::bad_payload, text.substr(begin));
        return;
      }
      const auto next = static_cast<std::size_t>(element.raw_json_token().data() - text.data());
      if (index > done) {
        single_element(without_separator(text.substr(begin, next - begin)), rows);
      }
      ++index;
      begin = next;
    }
    if (!at_end(document)) {
      rows.reject(Malformed::bad_payload, text.substr(begin));
    } else if (index > done) {
      single_element(without_separator(text.substr(begin)), rows);
    }
  }

  /// The element's text without the ',' or ']' after it.
  static std::string_view without_separator(std::string_view text) {
    text = trimmed(text);
    text.remove_suffix(text.empty() ? 0 : 1);
    return trimmed(text);
  }

  void single_element(std::string_view text, batch::RowWriter& rows) {
    ondemand::document document;
    begin_reading();
    if (parse(element_parser_, text, document) == simdjson::SUCCESS && read_root(document, text.starts_with('[')) &&
        at_end(document)) {
      write_element(text, rows);
    } else {
      rows.reject(Malformed::bad_payload, text);
    }
  }

  /// The element's text, found by its brackets. A scalar is not passed over: going on does that.
  static bool skip_element(ondemand::value& element, ondemand::json_type type, std::string_view& raw) {
    ondemand::object object;
    ondemand::array array;
    switch (type) {
      case ondemand::json_type::object:
        return element.get_object().get(object) == simdjson::SUCCESS && object.raw_json().get(raw) == simdjson::SUCCESS;
      case ondemand::json_type::array:
        return element.get_array().get(array) == simdjson::SUCCESS && array.raw_json().get(raw) == simdjson::SUCCESS;
      default:
        raw = trimmed(element.raw_json_token());
        return true;
    }
  }

  void write_element(std::string_view text, batch::RowWriter& rows) {
    array_path_.inherit(values_);
    writer_.write(values_, trimmed(text), rows);
  }

  /// Readings in an array inside the document; false, and nothing was written, where there is none.
  bool nested(std::string_view text, batch::RowWriter& rows) {
    ondemand::document document;
    std::string_view found;
    if (parse(parser_, text, document) != simdjson::SUCCESS || !array_path_.find(document, found)) {
      return false;
    }
    if (found.front() == '[' && !is_one_reading(found)) {
      readings(found, 0, rows);
    } else {
      single_element(found, rows);
    }
    return true;
  }

  ReadingWriter writer_;
  const bool lines_;
  std::size_t slots_;  // of values_, set by members_
  const JsonMember members_;
  const bool array_is_reading_;  // paths choose among the elements of the message
  const bool rows_are_arrays_;   // paths number them
  PaddedText text_;
  JsonArrayPath array_path_;
  PaddedText unquoted_;
  JsonLines json_lines_;
  ondemand::parser parser_;
  ondemand::parser element_parser_;
  ondemand::parser parser_of_array_;
  JsonStrings strings_;  // of the reading
  std::vector<Token> values_;
};

}  // namespace

std::unique_ptr<Decoder> make_json_decoder(const spec::Stream& stream, const spec::Source& source) {
  return std::make_unique<JsonDecoder>(stream, source);
}

}  // namespace weir::decode

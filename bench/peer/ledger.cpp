// The peer of `npm run bench -- ledger`: the job of `florin process`, as one would write it in C++ with the standard
// library: one thread, a hash map of accounts, a hash map of transactions, a line at a time.
//
//     g++ -O2 -std=c++17 -o ledger ledger.cpp
//     ./ledger transactions.csv > accounts.csv
//
// Same rows, same rules (florin's standard policy, narrow clients), same output. On standard error one line of JSON:
// rows, applied, seconds from opening the file to the output's last byte, the most memory held at a time, and how many
// rows each reason refused.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sys/resource.h>

using Amount = std::int64_t;
constexpr Amount max_amount = INT64_MAX;

struct Account {
  Amount available = 0;
  Amount held = 0;
  bool locked = false;
};

enum class Dispute : std::uint8_t { none, open, resolved, charged_back };

struct Entry {
  Amount amount;
  std::uint32_t client;
  bool is_deposit;
  Dispute dispute;
};

enum Column { type_column, client_column, tx_column, amount_column, columns };

using Refusal = const char *;

struct Ledger {
  std::unordered_map<std::uint32_t, Account> accounts;
  std::unordered_map<std::uint32_t, Entry> entries;

  // a + b, where it and the total stay within the range.
  static bool fits(Amount a, Amount b, Amount &sum) {
    return !__builtin_add_overflow(a, b, &sum) && sum >= -max_amount;
  }

  Refusal deposit(std::uint32_t client, std::uint32_t tx, Amount amount) {
    auto [entry, is_new] = entries.try_emplace(tx, Entry{amount, client, true, Dispute::none});
    if (!is_new) return "DuplicateTx";
    auto found = accounts.find(client);
    const Account before = found == accounts.end() ? Account{} : found->second;
    Amount available, total;
    if (!fits(before.available, amount, available) || !fits(available, before.held, total)) {
      entries.erase(entry);
      return "AmountOutOfRange";
    }
    accounts[client].available = available;
    return nullptr;
  }

  Refusal withdraw(std::uint32_t client, std::uint32_t tx, Amount amount) {
    if (entries.find(tx) != entries.end()) return "DuplicateTx";
    Account &account = accounts[client];
    if (account.locked) return "AccountFrozen";
    if (account.available < amount) return "InsufficientFunds";
    account.available -= amount;
    entries.emplace(tx, Entry{amount, client, false, Dispute::none});
    return nullptr;
  }

  Refusal dispute(std::uint32_t client, std::uint32_t tx) {
    auto found = entries.find(tx);
    if (found == entries.end()) return "UnknownTx";
    Entry &entry = found->second;
    if (entry.client != client) return "ClientMismatch";
    if (!entry.is_deposit) return "NotDisputable";
    if (entry.dispute == Dispute::open) return "AlreadyDisputed";
    if (entry.dispute == Dispute::charged_back) return "ChargedBack";
    Account &account = accounts[client];
    Amount available, held;
    if (!fits(account.available, -entry.amount, available) || !fits(account.held, entry.amount, held)) {
      return "AmountOutOfRange";
    }
    account.available = available;
    account.held = held;
    entry.dispute = Dispute::open;
    return nullptr;
  }

  Refusal settle(std::uint32_t client, std::uint32_t tx, bool is_chargeback) {
    auto found = entries.find(tx);
    if (found == entries.end()) return "UnknownTx";
    Entry &entry = found->second;
    if (entry.client != client) return "ClientMismatch";
    if (entry.dispute != Dispute::open) return "NotDisputed";
    Account &account = accounts[client];
    account.held -= entry.amount;
    if (is_chargeback) account.locked = true;
    else account.available += entry.amount;
    entry.dispute = is_chargeback ? Dispute::charged_back : Dispute::resolved;
    return nullptr;
  }
};

// --- Reading ----------------------------------------------------------------

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Fields without white space and quotes; how many there are, or -1 where a quote is wrong or there are too many.
static int split(std::string_view line, std::array<std::string_view, columns> &fields) {
  for (int count = 0;;) {
    const auto comma = line.find(',');
    auto field = trim(line.substr(0, comma));
    if (field.find('"') != field.npos) {
      if (field.size() < 2 || field.front() != '"' || field.back() != '"') return -1;
      field = field.substr(1, field.size() - 2);
      if (field.find('"') != field.npos) return -1;
      field = trim(field);
    }
    if (count == columns) return -1;
    fields[count++] = field;
    if (comma == line.npos) return count;
    line.remove_prefix(comma + 1);
  }
}

static bool parse_id(std::string_view text, std::uint64_t max, std::uint32_t &value) {
  std::uint64_t wide = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wide);
  value = static_cast<std::uint32_t>(wide);
  return error == std::errc() && end == text.data() + text.size() && wide <= max;
}

enum class Parsed { amount, out_of_range, malformed };

static Parsed parse_amount(std::string_view text, Amount &amount) {
  bool is_negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    is_negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  auto fraction = dot == text.npos ? std::string_view() : text.substr(dot + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), is_digit)) return Parsed::malformed;
  if (dot != text.npos && fraction.empty()) return Parsed::malformed;
  if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) return Parsed::malformed;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > 4) return Parsed::malformed;
  bool is_large = false;
  Amount value = 0;
  const auto push = [&](int digit) {
    is_large = is_large || __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value);
  };
  for (char c : whole) push(c - '0');
  for (std::size_t index = 0; index < 4; index++) push(index < fraction.size() ? fraction[index] - '0' : 0);
  amount = is_negative ? -value : value;
  if (is_large) {
    amount = is_negative ? -1 : 1;
    return Parsed::out_of_range;
  }
  return Parsed::amount;
}

struct Header {
  std::array<int, columns> place{};
};

static bool parse_header(std::string_view line, Header &header) {
  static constexpr std::array<std::string_view, columns> names{"type", "client", "tx", "amount"};
  std::array<std::string_view, columns> fields;
  if (split(line, fields) != columns) return false;
  for (int column = 0; column < columns; column++) {
    const auto found = std::find(fields.begin(), fields.end(), names[column]);
    if (found == fields.end()) return false;
    header.place[column] = static_cast<int>(found - fields.begin());
  }
  return true;
}

static Refusal apply(Ledger &ledger, std::string_view line, const Header &header) {
  std::array<std::string_view, columns> fields;
  if (split(line, fields) == -1) return "MalformedRow:row";
  const auto type = fields[header.place[type_column]];
  const bool is_deposit = type == "deposit", is_withdrawal = type == "withdrawal", is_dispute = type == "dispute",
             is_resolve = type == "resolve", is_chargeback = type == "chargeback";
  if (!is_deposit && !is_withdrawal && !is_dispute && !is_resolve && !is_chargeback) return "UnknownType";
  std::uint32_t client, tx;
  if (!parse_id(fields[header.place[client_column]], 65535, client)) return "MalformedRow:client";
  if (!parse_id(fields[header.place[tx_column]], UINT32_MAX, tx)) return "MalformedRow:tx";
  const auto text = fields[header.place[amount_column]];
  Amount amount = 0;
  const Parsed parsed = parse_amount(text, amount);
  if (!is_deposit && !is_withdrawal) {
    if (parsed == Parsed::malformed && !text.empty()) return "MalformedRow:amount";
    return is_dispute ? ledger.dispute(client, tx) : ledger.settle(client, tx, is_chargeback);
  }
  if (parsed == Parsed::malformed) return "MalformedRow:amount";
  if (amount <= 0) return "NonPositiveAmount";
  if (parsed == Parsed::out_of_range) return "AmountOutOfRange";
  return is_deposit ? ledger.deposit(client, tx, amount) : ledger.withdraw(client, tx, amount);
}

// --- Writing ----------------------------------------------------------------

static void write_amount(std::string &out, Amount amount) {
  const std::uint64_t magnitude = amount < 0 ? 0 - static_cast<std::uint64_t>(amount) : amount;
  if (amount < 0) out += '-';
  out += std::to_string(magnitude / 10000);
  const auto fraction = std::to_string(magnitude % 10000);
  out += '.';
  out.append(4 - fraction.size(), '0');
  out += fraction;
}

int main(int count, char **words) {
  if (count != 2) {
    std::cerr << "usage: ledger FILE\n";
    return 2;
  }
  const auto started = std::chrono::steady_clock::now();
  std::vector<char> buffer(1 << 20);
  std::ifstream file;
  file.rdbuf()->pubsetbuf(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  file.open(words[1], std::ios::binary);
  if (!file) {
    std::cerr << "cannot open " << words[1] << "\n";
    return 1;
  }

  Ledger ledger;
  Header header;
  bool has_header = false;
  std::uint64_t rows = 0, applied = 0;
  std::unordered_map<Refusal, std::uint64_t> refused;
  std::string line;
  bool is_first = true;
  while (std::getline(file, line)) {
    std::string_view text = line;
    if (is_first && text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);
    is_first = false;
    text = trim(text);
    if (text.empty()) continue;
    if (!has_header) {
      if (!parse_header(text, header)) {
        std::cerr << "bad header\n";
        return 1;
      }
      has_header = true;
      continue;
    }
    rows++;
    if (const Refusal refusal = apply(ledger, text, header)) refused[refusal]++;
    else applied++;
  }

  std::vector<std::uint32_t> clients;
  clients.reserve(ledger.accounts.size());
  for (const auto &[client, account] : ledger.accounts) clients.push_back(client);
  std::sort(clients.begin(), clients.end());
  std::string out = "client,available,held,total,locked\n";
  for (const auto client : clients) {
    const Account &account = ledger.accounts[client];
    out += std::to_string(client);
    out += ',';
    write_amount(out, account.available);
    out += ',';
    write_amount(out, account.held);
    out += ',';
    write_amount(out, account.available + account.held);
    out += account.locked ? ",true\n" : ",false\n";
  }
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0) return 1;

  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
#ifdef __APPLE__
  const std::uint64_t peak = used.ru_maxrss;
#else
  const std::uint64_t peak = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
#endif
  std::map<std::string, std::uint64_t> reasons;
  for (const auto &[reason, times] : refused) reasons[reason] += times;
  std::cerr << "{\"rows\":" << rows << ",\"applied\":" << applied << ",\"seconds\":" << took.count()
            << ",\"peakBytes\":" << peak << ",\"refused\":{";
  const char *separator = "";
  for (const auto &[reason, times] : reasons) {
    std::cerr << separator << '"' << reason << "\":" << times;
    separator = ",";
  }
  std::cerr << "}}\n";
}
